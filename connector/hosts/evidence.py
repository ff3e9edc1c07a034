"""What was seen of calls that may have taken effect, as every host tells it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from connector.model import JSON, members

if TYPE_CHECKING:
    from connector.engine import CallRecord

__all__ = ["show_evidence"]

SEEN = ("status", "request_id", "reason", "evidence")


def show_evidence(calls: Iterable[CallRecord]) -> list[JSON]:
    """Return what is known of each call."""
    return [_show(call) for call in calls]


def _show(call: CallRecord) -> JSON:
    outcome = members(call.outcome)
    shown: dict[str, JSON] = {"operation": call.operation, "client": call.target, "attempt": call.attempt}
    shown |= {"started": call.started, "state": call.state or "no end seen"}
    return {**shown, **{name: outcome[name] for name in SEEN if outcome.get(name)}}
