"""Injected faults: their names, and the rates and rules that choose requests for them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from hashlib import blake2b
from typing import Annotated, Any, Self, cast

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from connector.errors import ConfigurationError, ConnectorError
from connector.model import JSON, is_document
from connector.sandbox.messages import ApiError
from connector.suggestions import closest, did_you_mean

__all__ = ["Fault", "FaultRate", "FaultRule", "parse_rules"]

KINDS = {
    "delay": "the answer comes SECONDS later (delay:RATE:SECONDS)",
    "reset": "the connection is reset before anything has happened",
    "drop-after": "the effect happens, then the connection is dropped without an answer",
    "reset-mid": "the effect happens, the connection is reset in the middle of the answer",
    "cut": "the answer stops in the middle, and the connection is closed as if that were all",
    "error-mid": "a stream says in its middle that the server has failed",
    "html": "a page of HTML instead of the answer (html:RATE:STATUS, 200 by default)",
}
"""The named faults; any status from 400 to 599 is a fault too."""

STATUS = re.compile(r"[45]\d\d")
LONGEST = 3600.0
TOO_MANY, SERVER_ERRORS = 429, 500
ERRORS = {
    401: ("invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    403: ("invalid_request_error", "unsupported_country_region_territory", "Not supported here."),
    408: ("timeout", None, "The request took too long."),
    409: ("conflict_error", "lock_timeout", "Another request holds the lock."),
    429: ("requests", "rate_limit_exceeded", "Rate limit reached. Please try again in 20ms."),
    500: ("server_error", None, "The server had an error while processing your request."),
    503: ("service_unavailable_error", "server_is_overloaded", "The server is overloaded or not ready yet."),
}
RETRY_HEADERS = {"retry-after-ms": "20", "retry-after": "1"}
FULL_RANGE = 2**64
FALSE_VALUES: tuple[JSON, ...] = (None, False, "", [], {})


@dataclass(frozen=True, slots=True)
class Fault:
    """A named fault or a status, with its number."""

    kind: str
    number: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Return the fault of a text such as `503`, `reset` or `delay:2.5`."""
        name, _, number = text.strip().partition(":")
        if not STATUS.fullmatch(name) and name not in KINDS:
            known = ", ".join(["a status from 400 to 599", *KINDS])
            meant = did_you_mean(closest(name, KINDS))
            raise ConfigurationError(f"fault: found {name!r}; there are {known}{f'; {meant}' if meant else ''}")
        return cls(name, _parse_number(name, number))

    @property
    def is_error(self) -> bool:
        """Whether the fault is an error status."""
        return self.kind.isdecimal()

    def as_error(self) -> ApiError:
        """Return the API error of the status."""
        status = int(self.kind)
        kind = "server_error" if status >= SERVER_ERRORS else "invalid_request_error"
        kind, code, message = ERRORS.get(status, (kind, None, f"The sandbox was told to answer {status}."))
        return ApiError(status, message, kind, None, code, RETRY_HEADERS if status == TOO_MANY else {})

    def __str__(self) -> str:
        return f"{self.kind}:{self.number:g}" if self.number else self.kind


def _parse_number(name: str, text: str) -> float:
    if not text:
        if name == "delay":
            raise ConfigurationError("fault: delay needs its seconds, as in delay:0.1:2.5")
        return 200.0 if name == "html" else 0.0
    if name not in ("delay", "html"):
        raise ConfigurationError(f"fault: {name} takes no number of its own, found {text!r}")
    lowest, highest = (0.0, LONGEST) if name == "delay" else (200.0, 599.0)
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not lowest <= number <= highest:
        raise ConfigurationError(f"fault: {name} takes a number from {lowest:g} to {highest:g}, found {text!r}")
    return number


@dataclass(frozen=True, slots=True)
class FaultRate:
    """A fault and the share of requests that it applies to."""

    fault: Fault
    share: float

    @classmethod
    def parse(cls, text: str) -> FaultRate:
        """Return the rate of a text such as `KIND:RATE` or `KIND:RATE:NUMBER`."""
        name, *rest = text.strip().split(":", 2)
        fault = Fault.parse(":".join([name, *rest[1:]]))
        try:
            share = float(rest[0]) if rest else -1.0
        except ValueError:
            share = -1.0
        if not 0 <= share <= 1:
            value = f"found {rest[0]!r}" if rest else "there is none"
            raise ConfigurationError(f"fault: {text!r} needs a rate from 0 to 1 after its name ({name}:0.05), {value}")
        return cls(fault, share)

    def applies_to(self, seed: int, number: int) -> bool:
        """Return whether the fault applies to a request; the same ones for the same seed."""
        drawn = blake2b(f"{seed}/{self.fault}/{number}".encode(), digest_size=8).digest()
        return int.from_bytes(drawn) < self.share * FULL_RANGE

    def __str__(self) -> str:
        number = f":{self.fault.number:g}" if self.fault.number else ""
        return f"{self.fault.kind}:{self.share:g}{number}"


class FaultAnswer(BaseModel):
    """An answer that a rule gives in place of the sandbox's own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: Annotated[int, Field(ge=200, le=599)] = 200
    body: Any = None
    headers: dict[str, str] = {}


class FaultRule(BaseModel):
    """The conditions of a rule, and the fault or the answer for the requests that meet them all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    operation: str | None = None
    """Its name (`files create`) or its method and path (`POST /files`)."""
    path: str | None = None
    """The path without the version; `*` matches anything."""
    when: str | None = None
    """A JMESPath expression on the request: operation, method, path, query, payload, headers."""
    nth: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)] | None = None
    """Which of the matching requests, counted from 1; all of them by default."""
    fault: str | None = None
    answer: FaultAnswer | None = None

    @field_validator("nth", mode="before")
    @classmethod
    def _expand_number(cls, nth: JSON) -> JSON:
        return (nth,) if isinstance(nth, int) else nth

    @field_validator("fault", mode="before")
    @classmethod
    def _check_fault(cls, fault: JSON) -> JSON:
        if isinstance(fault, str | int):
            try:
                return str(Fault.parse(str(fault)))
            except ConnectorError as error:
                raise ValueError(str(error).removeprefix("fault: ")) from error
        return fault

    @field_validator("when")
    @classmethod
    def _check_expression(cls, when: str | None) -> str | None:
        try:
            jmespath.compile(when or "@")
        except JMESPathError as error:
            raise ValueError(f"not a JMESPath expression: {str(error).splitlines()[0]}") from error
        return when

    @model_validator(mode="after")
    def _check_one_end(self) -> Self:
        if (self.fault is None) == (self.answer is None):
            raise ValueError("a rule has either a fault or an answer")
        return self

    def matches(self, request: Mapping[str, JSON]) -> bool:
        """Return whether a request meets the conditions; an expression that fails on it does not match."""
        if self.operation is not None and self.operation not in (request["operation"], request["wire_name"]):
            return False
        if self.path is not None and not fnmatchcase(request["url"], self.path):
            return False
        try:
            return self.when is None or jmespath.search(self.when, request) not in FALSE_VALUES
        except JMESPathError:
            return False


def parse_rules(written: JSON, where: str = "faults") -> list[FaultRule]:
    """Return the rules of a list; raise ConfigurationError with everything that is wrong with them."""
    if not isinstance(written, list | tuple):
        raise ConfigurationError(f"{where}: a list of rules is wanted")
    rules: list[FaultRule] = []
    wrong: list[str] = []
    for index, one in enumerate(cast("Sequence[JSON]", written)):
        try:
            rules.append(FaultRule.model_validate(one))
        except ValidationError as error:
            wrong += [f"  {where}[{index}]{_describe_error(fault)}" for fault in error.errors()]
    if wrong:
        raise ConfigurationError("\n".join([f"{where}: rules that do not work:", *wrong]))
    return rules


def _describe_error(fault: Mapping[str, Any]) -> str:
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in fault["loc"])
    if fault["type"] == "extra_forbidden":
        known = [*FaultRule.model_fields, *FaultAnswer.model_fields]
        meant = did_you_mean(closest(str(fault["loc"][-1]), known))
        return f"{place}: no such name{f'; {meant}' if meant else ''}"
    message = str(fault["msg"]).removeprefix("Value error, ")
    value = fault.get("input")
    shown = "" if is_document(value) or fault["type"] == "value_error" else f", found {value!r}"
    return f"{place}: {message[:1].lower()}{message[1:]}{shown}"
