"""A script: answers that are said instead of made up, and faults by rule; a file or a document."""

from __future__ import annotations

from pathlib import Path

from connector.config.reading import Tree, read_text
from connector.errors import ConfigurationError
from connector.model import JSON, is_document
from connector.sandbox.answers.script import Script
from connector.sandbox.faults import Rule, rules_of

__all__ = ["scripted"]


def scripted(script: Path | JSON) -> tuple[Script, list[Rule]]:
    """The answers and the rules of a script; all that is wrong with one of them is said at once."""
    if script is None:
        return Script(), []
    if not isinstance(script, Path):
        return Script.of(script), _rules(script, "faults")
    # The answers read the file first, and say of each fault in which line it stands.
    answers = Script.load(script)
    return answers, _rules(_read(script).value, f"{script} faults")


def _rules(document: JSON, where: str) -> list[Rule]:
    return rules_of(document.get("faults") or [], where) if is_document(document) else []


def _read(path: Path) -> Tree:
    try:
        return read_text(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise ConfigurationError(f"{path}: the script cannot be read; {(error.strerror or '').lower()}") from error
