"""What a sandbox is told when it starts."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Options"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a sandbox behaves; the same options and the same requests give the same answers."""

    seed: int = 0
    lenient: bool = False
    """An unknown id is answered with an object of the right shape instead of 404."""
    latency: float = 0.0
    """Milliseconds that every answer takes longer."""
    pace: float = 1.0
    """Seconds that whatever moves with time spends in each of its states."""
    webhook: str | None = None
    """The URL that webhooks are sent to."""
    webhook_secret: str | None = None
    """What they are signed with: `whsec_…`."""
