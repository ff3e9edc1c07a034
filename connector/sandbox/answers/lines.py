"""One scripted answer: which requests it is for, and what is then said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from connector.documents import dump
from connector.model import JSON
from connector.sandbox.answers.reply import Reply, ToolCall
from connector.transform.expression import compile_jmespath
from connector.transform.expression.nodes import is_false
from connector.transform.signals import Unfit

__all__ = ["FORMS", "Line", "Rule", "Strict"]

FORMS = ("text", "json", "refusal", "tool_calls", "status")
FORM_FIELDS = frozenset({"text", "document", "refusal", "tool_calls", "status"})


class Strict(BaseModel):
    """What is written in the file; names that it does not know are faults."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ScriptedCall(Strict):
    """A call of a function with its arguments, or of a custom tool with its input."""

    name: str
    arguments: dict[str, Any] | None = None
    input: str | None = None

    def as_call(self) -> ToolCall:
        """The call as it is answered."""
        if self.input is not None:
            return ToolCall(self.name, self.input, custom=True)
        return ToolCall(self.name, dump(self.arguments or {}).decode())


class ScriptedError(Strict):
    """The error that a scripted status comes with."""

    message: str = "a scripted error"
    type: str = "invalid_request_error"
    param: str | None = None
    code: str | None = None


class Line(Strict):
    """One scripted answer: exactly one of its forms, and how many seconds it takes."""

    text: str | None = None
    document: Annotated[Any, Field(alias="json")] = None
    refusal: str | None = None
    tool_calls: tuple[ScriptedCall, ...] | None = None
    status: Annotated[int, Field(ge=400, le=599)] | None = None
    error: ScriptedError = ScriptedError()
    headers: Mapping[str, str] = Field(default_factory=dict[str, str])
    delay: Annotated[float, Field(ge=0, le=600)] = 0

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        forms = FORM_FIELDS & self.model_fields_set
        if len(forms) > 1 or not (forms or self.delay):
            raise ValueError(f"exactly one of {', '.join(FORMS)} says what is answered; delay may stand alone")
        if {"error", "headers"} & self.model_fields_set and self.status is None:
            raise ValueError("error and headers go with a status")
        return self

    @property
    def is_document(self) -> bool:
        """Whether it is a document, which answers operations that say nothing as their whole body."""
        return "document" in self.model_fields_set

    @property
    def reply(self) -> Reply | None:
        """What is said, where the line says it."""
        if self.tool_calls is not None:
            return Reply(calls=tuple(call.as_call() for call in self.tool_calls))
        if self.refusal is not None:
            return Reply(refusal=self.refusal)
        if self.is_document:
            return Reply(dump(self.document).decode())
        return None if self.text is None else Reply(self.text)


class Rule(Strict):
    """A line and the requests it is for; without `when` it is for every one."""

    when: str | None = None
    answer: Line

    @field_validator("answer", mode="before")
    @classmethod
    def _text_in_short(cls, answer: JSON) -> JSON:
        return {"text": answer} if isinstance(answer, str) else answer

    @field_validator("when")
    @classmethod
    def _readable(cls, when: str | None) -> str | None:
        if when is not None:
            try:
                compile_jmespath(when)
            except Unfit as error:
                raise ValueError(str(error)) from error
        return when

    def is_for(self, request: Mapping[str, JSON]) -> bool:
        """Whether the rule answers this request; an expression that fails on it says no."""
        try:
            return self.when is None or not is_false(compile_jmespath(self.when)(request))
        except Unfit:
            return False
