"""What one attempt came to."""

from __future__ import annotations

from dataclasses import dataclass, field

from connector.model import JSON, State

__all__ = ["AttemptResult"]


@dataclass(slots=True)
class AttemptResult:
    """What one attempt came to, before the error policy judges it."""

    state: State
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])
    body: JSON = None
    reason: str = ""
    evidence: str = ""
    codes: frozenset[str] = frozenset()
    text: str = ""
    """The body of a refusal as it came, for rules that look into it."""
    is_final: bool = False
    """Whether another attempt would certainly end the same way, or give something twice."""
