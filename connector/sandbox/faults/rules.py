"""Faults and answers by rule: which requests, and what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Any, Self, cast

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from connector.errors import ConfigurationError, ConnectorError
from connector.model import JSON, is_document
from connector.sandbox.faults.fault import Fault
from connector.suggest import closest, did_you_mean

__all__ = ["Rule", "Told", "rules_of"]

NOTHING: tuple[JSON, ...] = (None, False, "", [], {})


class Told(BaseModel):
    """An answer that a rule gives instead of the sandbox's own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: Annotated[int, Field(ge=200, le=599)] = 200
    body: Any = None
    headers: dict[str, str] = {}


class Rule(BaseModel):
    """The requests that all of its conditions fit, and the fault or answer that they get."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    operation: str | None = None
    """Its name (`files create`) or its method and path (`POST /files`)."""
    path: str | None = None
    """The path without the version; `*` stands for anything."""
    when: str | None = None
    """A JMESPath expression on the request: operation, method, path, query, payload, headers."""
    nth: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)] | None = None
    """Which of the requests that fit, counted from 1; all of them when it is left out."""
    fault: str | None = None
    answer: Told | None = None

    @field_validator("nth", mode="before")
    @classmethod
    def _one_in_short(cls, nth: JSON) -> JSON:
        return (nth,) if isinstance(nth, int) else nth

    @field_validator("fault", mode="before")
    @classmethod
    def _known(cls, fault: JSON) -> JSON:
        if isinstance(fault, str | int):
            try:
                return str(Fault.of(str(fault)))
            except ConnectorError as error:
                raise ValueError(str(error).removeprefix("fault: ")) from error
        return fault

    @field_validator("when")
    @classmethod
    def _readable(cls, when: str | None) -> str | None:
        try:
            jmespath.compile(when or "@")
        except JMESPathError as error:
            raise ValueError(f"not a JMESPath expression: {str(error).splitlines()[0]}") from error
        return when

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if (self.fault is None) == (self.answer is None):
            raise ValueError("a rule has either a fault or an answer")
        return self

    def fits(self, request: Mapping[str, JSON]) -> bool:
        """Whether a request is one of the rule's; an expression that fails on it says no."""
        if self.operation is not None and self.operation not in (request["operation"], request["wire_name"]):
            return False
        if self.path is not None and not fnmatchcase(request["url"], self.path):
            return False
        try:
            return self.when is None or jmespath.search(self.when, request) not in NOTHING
        except JMESPathError:
            return False


def rules_of(written: JSON, where: str = "faults") -> list[Rule]:
    """The rules of a document's list, or all that is wrong with it."""
    if not isinstance(written, list | tuple):
        raise ConfigurationError(f"{where}: a list of rules is wanted")
    rules: list[Rule] = []
    wrong: list[str] = []
    for index, one in enumerate(cast("Sequence[JSON]", written)):
        try:
            rules.append(Rule.model_validate(one))
        except ValidationError as error:
            wrong += [f"  {where}[{index}]{_fault(fault)}" for fault in error.errors()]
    if wrong:
        raise ConfigurationError("\n".join([f"{where}: rules that do not work:", *wrong]))
    return rules


def _fault(fault: Mapping[str, Any]) -> str:
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in fault["loc"])
    if fault["type"] == "extra_forbidden":
        known = [*Rule.model_fields, *Told.model_fields]
        meant = did_you_mean(closest(str(fault["loc"][-1]), known))
        return f"{place}: no such name{f'; {meant}' if meant else ''}"
    said = str(fault["msg"]).removeprefix("Value error, ")
    found = fault.get("input")
    shown = "" if is_document(found) or fault["type"] == "value_error" else f", found {found!r}"
    return f"{place}: {said[:1].lower()}{said[1:]}{shown}"
