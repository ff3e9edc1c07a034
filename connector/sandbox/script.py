"""Scripted answers and faults, from a document or from a file in YAML or JSON.

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
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from connector.config.findings import path_text
from connector.config.tree import Tree, read_text
from connector.documents import dump
from connector.errors import ConfigurationError
from connector.model import JSON, is_document, is_list
from connector.sandbox.faults import FaultRule, parse_rules
from connector.sandbox.messages import Reply, ToolCall
from connector.suggestions import closest, did_you_mean
from connector.transform.errors import Unfit
from connector.transform.expression import compile_jmespath
from connector.transform.expression.nodes import is_false

__all__ = ["Script", "ScriptedAnswer", "load_script"]

FORMS = ("text", "json", "refusal", "tool_calls", "status")
FORM_FIELDS = frozenset({"text", "document", "refusal", "tool_calls", "status"})


class ScriptModel(BaseModel):
    """A part of the file; unknown names are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ScriptedToolCall(ScriptModel):
    """A call of a function with its arguments, or of a custom tool with its input."""

    name: str
    arguments: dict[str, Any] | None = None
    input: str | None = None

    def as_tool_call(self) -> ToolCall:
        """Return the tool call of a reply."""
        if self.input is not None:
            return ToolCall(self.name, self.input, custom=True)
        return ToolCall(self.name, dump(self.arguments or {}).decode())


class ScriptedError(ScriptModel):
    """The error of a scripted status."""

    message: str = "a scripted error"
    type: str = "invalid_request_error"
    param: str | None = None
    code: str | None = None


class ScriptedAnswer(ScriptModel):
    """One scripted answer: exactly one of its forms, and its delay in seconds."""

    text: str | None = None
    document: Annotated[Any, Field(alias="json")] = None
    refusal: str | None = None
    tool_calls: tuple[ScriptedToolCall, ...] | None = None
    status: Annotated[int, Field(ge=400, le=599)] | None = None
    error: ScriptedError = ScriptedError()
    headers: Mapping[str, str] = Field(default_factory=dict[str, str])
    delay: Annotated[float, Field(ge=0, le=600)] = 0

    @model_validator(mode="after")
    def _check_one_form(self) -> Self:
        forms = FORM_FIELDS & self.model_fields_set
        if len(forms) > 1 or not (forms or self.delay):
            raise ValueError(f"exactly one of {', '.join(FORMS)} says what is answered; delay may stand alone")
        if {"error", "headers"} & self.model_fields_set and self.status is None:
            raise ValueError("error and headers go with a status")
        return self

    @property
    def is_document(self) -> bool:
        """Whether it is a document, which is the whole body of operations without a reply."""
        return "document" in self.model_fields_set

    @property
    def reply(self) -> Reply | None:
        """The reply of the model, where the answer has one."""
        if self.tool_calls is not None:
            return Reply(calls=tuple(call.as_tool_call() for call in self.tool_calls))
        if self.refusal is not None:
            return Reply(refusal=self.refusal)
        if self.is_document:
            return Reply(dump(self.document).decode())
        return None if self.text is None else Reply(self.text)


class ScriptRule(ScriptModel):
    """An answer and the requests it is for; without `when` it is for every one."""

    when: str | None = None
    answer: ScriptedAnswer

    @field_validator("answer", mode="before")
    @classmethod
    def _expand_text(cls, answer: JSON) -> JSON:
        return {"text": answer} if isinstance(answer, str) else answer

    @field_validator("when")
    @classmethod
    def _check_expression(cls, when: str | None) -> str | None:
        if when is not None:
            try:
                compile_jmespath(when)
            except Unfit as error:
                raise ValueError(str(error)) from error
        return when

    def matches(self, request: Mapping[str, JSON]) -> bool:
        """Return whether the rule is for a request; an expression that fails on it does not match."""
        try:
            return self.when is None or not is_false(compile_jmespath(self.when)(request))
        except Unfit:
            return False


NAMES = (*FORMS, "error", "headers", "delay", "when", "answer", "answers", "arguments", "message", "param", "code")


class ScriptFile(ScriptModel):
    """The whole file; `faults` are validated by themselves."""

    answers: tuple[ScriptRule, ...] = ()
    faults: Any = None


@dataclass(frozen=True, slots=True)
class Script:
    """Scripted answers in the order in which they are tried."""

    rules: Sequence[ScriptRule] = ()

    @classmethod
    def load(cls, path: Path) -> Script:
        """Return the script of a file; raise ConfigurationError with all errors and their lines."""
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise ConfigurationError(f"{path}: the script cannot be read; {(error.strerror or '').lower()}") from error
        except UnicodeDecodeError as error:
            raise ConfigurationError(f"{path}: the script is not UTF-8 text, at byte {error.start + 1}") from error
        tree = read_text(text, str(path))
        if tree.findings:
            raise ConfigurationError("\n".join(str(finding) for finding in tree.findings))
        return cls(_parse_answers(tree, str(path)))

    @classmethod
    def parse(cls, written: JSON, where: str = "script") -> Script:
        """Return the script of a document: `{answers: […]}`, or the list alone."""
        return cls(_parse_answers(Tree(written), where))

    def find_answer(self, request: Mapping[str, JSON]) -> ScriptedAnswer | None:
        """Return the first answer for a request `{operation, method, path, query, payload, headers}`."""
        return next((rule.answer for rule in self.rules if rule.matches(request)), None)


def _parse_answers(tree: Tree, where: str) -> Sequence[ScriptRule]:
    short = is_list(tree.value)
    try:
        return ScriptFile.model_validate({"answers": tree.value} if short else tree.value).answers
    except ValidationError as error:
        faults = [_describe_error(fault, tree, where, short=short) for fault in error.errors()]
        raise ConfigurationError("\n".join(faults)) from error


def _describe_error(fault: Mapping[str, Any], tree: Tree, where: str, *, short: bool) -> str:
    steps: tuple[str | int, ...] = fault["loc"]
    written = steps[1:] if short else steps
    place = tree.key_place(written) if fault["type"] == "extra_forbidden" else tree.value_place(written)
    return f"{place if place.file else where} {path_text(steps) or 'the script'}: {'; '.join(_explain_error(fault))}"


def _explain_error(fault: Mapping[str, Any]) -> Iterator[str]:
    """Yield what was found, what is allowed, and what may have been meant."""
    message = str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        yield "no such name here"
        if meant := did_you_mean(closest(str(fault["loc"][-1]), NAMES)):
            yield meant
        return
    yield f"{message[:1].lower()}{message[1:]}"
    if fault["type"] not in ("value_error", "missing"):
        value = fault.get("input")
        yield f"found {'an object' if is_document(value) else 'a list' if is_list(value) else repr(value)}"


def load_script(script: Path | JSON) -> tuple[Script, list[FaultRule]]:
    """Return the answers and the fault rules of a script; raise ConfigurationError with all errors."""
    if script is None:
        return Script(), []
    if not isinstance(script, Path):
        return Script.parse(script), _parse_faults(script, "faults")
    # The answers read the file first, and report the line of each fault.
    answers = Script.load(script)
    return answers, _parse_faults(_read_tree(script).value, f"{script} faults")


def _parse_faults(document: JSON, where: str) -> list[FaultRule]:
    return parse_rules(document.get("faults") or [], where) if is_document(document) else []


def _read_tree(path: Path) -> Tree:
    try:
        return read_text(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise ConfigurationError(f"{path}: the script cannot be read; {(error.strerror or '').lower()}") from error
