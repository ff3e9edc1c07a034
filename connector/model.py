"""The few things that travel through the connector: a request, its faults, its outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any, TypeGuard, cast

from connector.errors import CallFailed, InvalidRequest
from connector.suggestions import closest, did_you_mean

__all__ = [
    "JSON",
    "Attempt",
    "Effect",
    "Fault",
    "Outcome",
    "Request",
    "State",
    "is_document",
    "is_list",
    "is_object",
    "items",
    "members",
]

JSON = Any
"""A decoded JSON value; what is inside is the caller's business until a schema has spoken."""


def is_object(value: JSON) -> TypeGuard[Mapping[str, JSON]]:
    """Whether a JSON value is an object."""
    return isinstance(value, Mapping)


def is_document(value: JSON) -> TypeGuard[dict[str, JSON]]:
    """Whether a JSON value is an object of ours, which may be changed."""
    return isinstance(value, dict)


def is_list(value: JSON) -> TypeGuard[list[JSON]]:
    """Whether a JSON value is a list."""
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
    """What an attempt, and so a call, came to."""

    DONE = "done"
    REFUSED = "refused"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Request:
    """What a caller asks of an operation, before it is resolved."""

    path: Mapping[str, JSON] = field(default_factory=dict[str, JSON])
    query: Mapping[str, JSON] = field(default_factory=dict[str, JSON])
    payload: JSON = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def of(cls, asked: Request | Mapping[str, JSON] | None) -> Request:
        """The request a document stands for; a section that no request has is refused."""
        if isinstance(asked, Request):
            return asked
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
    """The envelope every call ends in, and what response chains see."""

    state: State
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: JSON = None
    request_id: str | None = None
    reason: str = ""
    attempts: tuple[Attempt, ...] = ()
    evidence: str = ""
    faults: tuple[Fault, ...] = ()
    """Why nothing was sent, when the request itself was the reason."""
    action: str = ""
    """What the client's error policy makes of it, when it is not done: retry, fail, pause or unknown."""
    possible_duplicates: int = 0
    """How often it may have taken effect, and may have been paid for, beside the once that was meant."""

    @property
    def ok(self) -> bool:
        return self.state is State.DONE

    def require(self) -> JSON:
        """The body of a call that is done; anything else raises CallFailed."""
        if self.state is not State.DONE:
            raise CallFailed(self)
        return self.body

    def sentence(self) -> str:
        """The outcome in words, with what to do next."""
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

    def as_document(self) -> dict[str, JSON]:
        """The outcome as JSON, in the order people read it."""
        shown: dict[str, JSON] = {"state": self.state.value, "status": self.status, "request_id": self.request_id}
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
