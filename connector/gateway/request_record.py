"""The record of one request: filled in while it is handled, then logged and counted."""

from __future__ import annotations

from dataclasses import dataclass

from connector.telemetry.costs import NO_USAGE, Usage

__all__ = ["RequestRecord"]


@dataclass(slots=True)
class RequestRecord:
    """What is known of one request."""

    method: str
    path: str
    started: float
    caller: str = ""
    origin: str = ""
    """Of the page that called, when one did."""
    payer: str = ""
    """The caller who is charged, when that is another one."""
    client: str = ""
    operation: str = ""
    model: str = ""
    status: int = 0
    state: str = ""
    """The state of its outcome, when it was forwarded: done, refused, not_sent, unknown."""
    code: str = ""
    """Why it was not forwarded."""
    detail: str = ""
    request_id: str = ""
    is_sent: bool = False
    """Whether a byte of it may have gone upstream."""
    usage: Usage = NO_USAGE
    is_estimated: bool = False
    """Whether the answer reported no usage, so that it was estimated from sizes."""
    cost: float | None = None
    """None when the model has no price."""
    seconds: float = 0.0
    request_body: bytes = b""
    """The beginning of the request's body, when bodies are logged."""
    response_body: bytes = b""
    """The beginning of the answer's body, when it is text."""
