"""What travels through the connector: JSON, a request and its faults, an outcome and its attempts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard, cast

from connector.errors import ConnectorError
from connector.suggestions import closest, did_you_mean

__all__ = [
    "JSON",
    "Attempt",
    "CallFailed",
    "Effect",
    "Fault",
    "InvalidRequest",
    "JSONInput",
    "JSONValue",
    "Outcome",
    "Request",
    "State",
    "is_document",
    "is_list",
    "is_object",
    "items",
    "members",
]

if TYPE_CHECKING:
    JSONValue: TypeAlias = "dict[str, JSONValue] | list[JSONValue] | str | int | float | bool | None"
    """A JSON value as the public API gives it; users know it as `JSON`."""
    JSONInput: TypeAlias = "Mapping[str, JSONInput] | Sequence[JSONInput] | str | int | float | bool | None"
    """A JSON value as the public API takes it: of any mappings and sequences."""
else:
    # pydantic cannot resolve a recursive alias in the models of plug-ins.
    JSONValue = JSONInput = object
JSON = Any
"""A decoded JSON value inside the connector, where schemas rather than types say what it holds."""


def is_object(value: JSON) -> TypeGuard[Mapping[str, JSON]]:
    """Return whether a JSON value is an object."""
    return isinstance(value, Mapping)


def is_document(value: JSON) -> TypeGuard[dict[str, JSON]]:
    """Return whether a JSON value is an object that may be changed."""
    return isinstance(value, dict)


def is_list(value: JSON) -> TypeGuard[list[JSON]]:
    """Return whether a JSON value is a list."""
    return isinstance(value, list)


def members(value: JSON) -> dict[str, JSON]:
    """Return an object's members; none for anything else."""
    return cast("dict[str, JSON]", value) if isinstance(value, dict) else {}


def items(value: JSON) -> list[JSON]:
    """Return a list's items; none for anything else."""
    return cast("list[JSON]", value) if isinstance(value, list | tuple) else []


class Effect(StrEnum):
    """What a repeat of an operation would do upstream."""

    NONE = "none"
    IDEMPOTENT = "idempotent"
    RECONCILABLE = "reconcilable"
    OPAQUE = "opaque"

    @property
    def repeatable(self) -> bool:
        """Whether a second call can neither be paid twice nor take effect twice."""
        return self in (Effect.NONE, Effect.IDEMPOTENT)


class State(StrEnum):
    """How an attempt, and so a call, ended."""

    DONE = "done"
    REFUSED = "refused"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Request:
    """What a caller asks of an operation, before it is resolved against the catalogue."""

    path: Mapping[str, JSONInput] = field(default_factory=dict[str, JSONInput])
    query: Mapping[str, JSONInput] = field(default_factory=dict[str, JSONInput])
    payload: JSONInput = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def of(cls, asked: Request | Mapping[str, JSONInput] | None) -> Request:
        """Return the request that a document describes; raise InvalidRequest for an unknown section."""
        if isinstance(asked, Request):
            return asked
        # The sections are checked below; their content is unknown until a schema has checked it.
        sections: dict[str, JSON] = dict(asked or {})
        names = [known.name for known in fields(cls)]
        faults = [
            Fault(name, "no such section", f"a request has {', '.join(names)}", did_you_mean(closest(name, names)))
            for name in sections
            if name not in names
        ] + [
            Fault(name, f"found {type(sections[name]).__name__}", "an object of names and values")
            for name in ("path", "query", "headers")
            if not isinstance(sections.get(name) or {}, Mapping)
        ]
        if faults:
            raise InvalidRequest("request", faults)
        return cls(**{name: value for name, value in sections.items() if value is not None})


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a request: where, what was found, what is allowed, what may have been meant."""

    where: str
    found: str
    allowed: str
    suggestion: str = ""

    def __str__(self) -> str:
        meant = f"; {self.suggestion}" if self.suggestion else ""
        return f"{self.where}: {self.found}; {self.allowed}{meant}"


class InvalidRequest(ConnectorError):
    """A request that was not sent, with every fault that was found in it."""

    def __init__(self, operation: str, faults: Sequence[Fault]) -> None:
        self.operation = operation
        self.faults = tuple(faults)
        count = "1 fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
        super().__init__("\n".join([f"{operation}: nothing was sent, {count}:", *(f"  {f}" for f in self.faults)]))


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try on the wire."""

    state: State
    status: int | None
    seconds: float
    reason: str = ""
    waited: float = 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended, and what answer chains see."""

    state: State
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: JSONValue | bytes = None
    request_id: str | None = None
    reason: str = ""
    attempts: tuple[Attempt, ...] = ()
    evidence: str = ""
    faults: tuple[Fault, ...] = ()
    """Why nothing was sent, when the request itself was the reason."""
    action: str = ""
    """What the client's error policy says when it is not done: retry, fail, pause or unknown."""
    possible_duplicates: int = 0
    """How often it may have taken effect, and may have been paid for, beyond the once that was meant."""

    @property
    def ok(self) -> bool:
        return self.state is State.DONE

    def require(self) -> JSONValue | bytes:
        """Return the body of a call that is done; raise CallFailed otherwise."""
        if self.state is not State.DONE:
            raise CallFailed(self)
        return self.body

    def sentence(self) -> str:
        """Return the outcome in words, with what to do next."""
        status = f" with status {self.status}" if self.status else ""
        tries = f" after {len(self.attempts)} attempts" if len(self.attempts) > 1 else ""
        trace = f" (request id {self.request_id})" if self.request_id else ""
        trace = f"{trace}; {self.duplicates}" if self.possible_duplicates else trace
        return f"{self.state.value.replace('_', ' ')}{status}{tries}: {self.reason or 'no reason given'}{trace}"

    @property
    def duplicates(self) -> str:
        """How often it may have taken effect, in words; empty when that is once at most."""
        times = self.possible_duplicates + 1
        return f"it may have taken effect, and may have been paid for, {times} times" if times > 1 else ""

    def as_document(self) -> dict[str, JSONValue | bytes]:
        """Return the outcome as JSON, in the order people read it."""
        shown: dict[str, JSONValue | bytes] = {"state": self.state.value, "status": self.status}
        shown["request_id"] = self.request_id
        if self.reason:
            shown["reason"] = self.reason
        if self.faults:
            shown["faults"] = [asdict(fault) for fault in self.faults]
        if self.evidence:
            shown["evidence"] = self.evidence
        if self.possible_duplicates:
            shown["possible_duplicates"] = self.possible_duplicates
        shown |= {"attempts": len(self.attempts), "headers": dict(self.headers), "body": self.body}
        return shown


class CallFailed(ConnectorError):
    """A call whose outcome is not done."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        super().__init__(outcome.sentence())
