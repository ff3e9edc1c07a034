"""One fault: what it is called, and how it is written down."""

from __future__ import annotations

import re
from dataclasses import dataclass

from connector.errors import ConfigurationError
from connector.sandbox.messages import Refused
from connector.suggest import closest, did_you_mean

__all__ = ["KINDS", "Fault"]

KINDS = {
    "delay": "the answer comes SECONDS later (delay:RATE:SECONDS)",
    "reset": "the connection is reset before anything has happened",
    "drop-after": "the effect happens, then the connection is dropped without an answer",
    "reset-mid": "the effect happens, the connection is reset in the middle of the answer",
    "cut": "the answer stops in the middle, and the connection is closed as if that were all",
    "error-mid": "a stream says in its middle that the server has failed",
    "html": "a page of HTML instead of the answer (html:RATE:STATUS, 200 by default)",
}
"""The faults that have names; any status from 400 to 599 is one as well."""

STATUS = re.compile(r"[45]\d\d")
LONGEST = 3600.0
BUSY, FAILURES = 429, 500
REASONS = {
    401: ("invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    403: ("invalid_request_error", "unsupported_country_region_territory", "Not supported here."),
    408: ("timeout", None, "The request took too long."),
    409: ("conflict_error", "lock_timeout", "Another request holds the lock."),
    429: ("requests", "rate_limit_exceeded", "Rate limit reached. Please try again in 20ms."),
    500: ("server_error", None, "The server had an error while processing your request."),
    503: ("service_unavailable_error", "server_is_overloaded", "The server is overloaded or not ready yet."),
}
RETRY = {"retry-after-ms": "20", "retry-after": "1"}


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of fault, or a status, with the number that goes with it."""

    kind: str
    number: float = 0.0

    @classmethod
    def of(cls, text: str) -> Fault:
        """The fault that a name, or a name and a number, stand for: `503`, `reset`, `delay:2.5`."""
        name, _, number = text.strip().partition(":")
        if not STATUS.fullmatch(name) and name not in KINDS:
            known = ", ".join(["a status from 400 to 599", *KINDS])
            meant = did_you_mean(closest(name, KINDS))
            raise ConfigurationError(f"fault: found {name!r}; there are {known}{f'; {meant}' if meant else ''}")
        return cls(name, _number(name, number))

    @property
    def is_refusal(self) -> bool:
        """Whether it is an answer that says no."""
        return self.kind.isdecimal()

    def refusal(self) -> Refused:
        """The error of a status."""
        status = int(self.kind)
        kind = "server_error" if status >= FAILURES else "invalid_request_error"
        kind, code, message = REASONS.get(status, (kind, None, f"The sandbox was told to answer {status}."))
        return Refused(status, message, kind, None, code, RETRY if status == BUSY else {})

    def __str__(self) -> str:
        return f"{self.kind}:{self.number:g}" if self.number else self.kind


def _number(name: str, text: str) -> float:
    if not text:
        if name == "delay":
            raise ConfigurationError("fault: delay needs its seconds, as in delay:0.1:2.5")
        return 200.0 if name == "html" else 0.0
    if name not in ("delay", "html"):
        raise ConfigurationError(f"fault: {name} takes no number of its own, found {text!r}")
    least, most = (0.0, LONGEST) if name == "delay" else (200.0, 599.0)
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not least <= number <= most:
        raise ConfigurationError(f"fault: {name} takes a number from {least:g} to {most:g}, found {text!r}")
    return number
