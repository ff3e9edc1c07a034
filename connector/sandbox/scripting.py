"""A script file: scripted answers, and faults by rule."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from connector.errors import ConfigurationError
from connector.model import JSON, is_document, is_list

__all__ = ["Sections", "read", "sections"]


class Sections(NamedTuple):
    """The two parts of a script."""

    answers: list[JSON]
    faults: list[JSON]


def read(path: Path) -> JSON:
    """The document of a YAML or JSON file."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        loader: Any = YAML(typ="safe", pure=True)
        return loader.load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path}: the script cannot be read, {(error.strerror or '').lower()}") from error
    except (YAMLError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: neither YAML nor JSON; {error}") from error


def sections(document: JSON) -> Sections:
    """What a script says; a list alone is one of answers."""
    if document is None:
        return Sections([], [])
    if is_list(document):
        return Sections(document, [])
    if not is_document(document) or not document.keys() <= {"answers", "faults"}:
        raise ConfigurationError("script: it has `answers` and `faults`, both lists; or is a list of answers")
    wrong = [name for name, value in document.items() if not is_list(value)]
    if wrong:
        raise ConfigurationError(f"script: {wrong[0]} is a list")
    return Sections(document.get("answers", []), document.get("faults", []))
