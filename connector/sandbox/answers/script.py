"""Scripted answers, of a document or of a file in YAML or JSON.

answers:
  - when: contains(payload.messages[-1].content, 'refund')
    answer: We are sorry.
  - when: payload.model == 'gpt-4.1'
    answer: {json: {category: billing}, delay: 0.2}
  - when: operation == 'responses create'
    answer: {tool_calls: [{name: get_weather, arguments: {city: Paris}}]}
  - answer: {status: 429, error: {message: slow down, code: rate_limit_exceeded}}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from connector.config.findings import path_text
from connector.config.reading import Tree, read_text
from connector.errors import ConfigurationError
from connector.model import JSON, is_document, is_list
from connector.sandbox.answers.lines import FORMS, Line, Rule, Strict
from connector.suggest import closest, did_you_mean

__all__ = ["Script"]

NAMES = (*FORMS, "error", "headers", "delay", "when", "answer", "answers", "arguments", "message", "param", "code")


class File(Strict):
    """The whole file; `faults` are the server's business."""

    answers: tuple[Rule, ...] = ()
    faults: Any = None


@dataclass(frozen=True, slots=True)
class Script:
    """Scripted answers in the order in which they are tried."""

    rules: Sequence[Rule] = ()

    @classmethod
    def load(cls, path: Path) -> Script:
        """The script of a file; everything that is wrong with it is said at once, each with its line."""
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise ConfigurationError(f"{path}: the script cannot be read; {(error.strerror or '').lower()}") from error
        except UnicodeDecodeError as error:
            raise ConfigurationError(f"{path}: the script is not UTF-8 text, at byte {error.start + 1}") from error
        tree = read_text(text, str(path))
        if tree.findings:
            raise ConfigurationError("\n".join(str(finding) for finding in tree.findings))
        return cls(_rules(tree, str(path)))

    @classmethod
    def of(cls, written: JSON, where: str = "script") -> Script:
        """The script that a document stands for: `{answers: […]}`, or the list alone."""
        return cls(_rules(Tree(written), where))

    def line_for(self, request: Mapping[str, JSON]) -> Line | None:
        """The first line whose rule fits the request `{operation, method, path, query, payload, headers}`."""
        return next((rule.answer for rule in self.rules if rule.is_for(request)), None)


def _rules(tree: Tree, where: str) -> Sequence[Rule]:
    short = is_list(tree.value)
    try:
        return File.model_validate({"answers": tree.value} if short else tree.value).answers
    except ValidationError as error:
        faults = [_fault(fault, tree, where, short=short) for fault in error.errors()]
        raise ConfigurationError("\n".join(faults)) from error


def _fault(fault: Mapping[str, Any], tree: Tree, where: str, *, short: bool) -> str:
    steps: tuple[str | int, ...] = fault["loc"]
    written = steps[1:] if short else steps
    place = tree.key_place(written) if fault["type"] == "extra_forbidden" else tree.value_place(written)
    return f"{place if place.file else where} {path_text(steps) or 'the script'}: {'; '.join(_words(fault))}"


def _words(fault: Mapping[str, Any]) -> Iterator[str]:
    """What was found, what is allowed, what may have been meant."""
    said = str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        yield "no such name here"
        if meant := did_you_mean(closest(str(fault["loc"][-1]), NAMES)):
            yield meant
        return
    yield f"{said[:1].lower()}{said[1:]}"
    if fault["type"] not in ("value_error", "missing"):
        found = fault.get("input")
        yield f"found {'an object' if is_document(found) else 'a list' if is_list(found) else repr(found)}"
