"""What is known of one call while it goes through the gateway, for its line in the log and for the counts."""

from __future__ import annotations

from dataclasses import dataclass

from connector.gateway.usage import Watch
from connector.telemetry.costs import NO_USAGE, Usage

__all__ = ["Visit"]


@dataclass(slots=True)
class Visit:
    """One call."""

    method: str
    path: str
    started: float
    caller: str = ""
    payer: str = ""
    """Who asked for what was used, when that was somebody else."""
    client: str = ""
    operation: str = ""
    model: str = ""
    status: int = 0
    state: str = ""
    """What became of it, when it was passed on: done, refused, not_sent, unknown."""
    code: str = ""
    """Why it was not passed on."""
    detail: str = ""
    request_id: str = ""
    sent: bool = False
    """Whether a byte of it may have gone to upstream."""
    usage: Usage = NO_USAGE
    estimated: bool = False
    """Whether the answer did not tell its usage, and it was counted from the sizes of the request and the stream."""
    cost: float | None = None
    """What it cost; None when nobody said what the model costs."""
    seconds: float = 0.0
    asked: bytes = b""
    """The beginning of the request's body, when bodies are logged."""
    watch: Watch | None = None
    """Saw the answer go by."""
