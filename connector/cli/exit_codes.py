"""Exit codes, documented for scripts."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from connector.errors import ConnectorError
from connector.model import CallFailed, Outcome, State

__all__ = ["ExitCode", "of_error", "of_outcome", "worst"]


class ExitCode(IntEnum):
    """How a command ended."""

    DONE = 0
    REFUSED = 1
    INVALID = 2
    UNKNOWN = 3
    NETWORK = 4
    PAUSED = 5
    """Tasks wait for a person to act: a limit is reached, or a key is refused."""
    BLOCKED = 6
    """A problem on this side stops tasks: a file, a table, or the store of the tasks."""
    NOTHING = 7
    """All went well, but there was nothing to select, write or import."""
    COSTLY = 8
    """A run may cost more than it may without being asked; nothing was sent."""


def of_outcome(outcome: Outcome) -> ExitCode:
    if outcome.faults:
        return ExitCode.INVALID
    return {
        State.DONE: ExitCode.DONE,
        State.REFUSED: ExitCode.REFUSED,
        State.UNKNOWN: ExitCode.UNKNOWN,
        State.NOT_SENT: ExitCode.NETWORK,
    }[outcome.state]


def of_error(error: ConnectorError) -> ExitCode:
    from connector.engine.store import StoreError

    if isinstance(error, StoreError):
        return ExitCode.BLOCKED
    return of_outcome(error.outcome) if isinstance(error, CallFailed) else ExitCode.INVALID


def worst(codes: Iterable[ExitCode]) -> ExitCode:
    """Return the most urgent code: unknown, refused, blocked, costly, paused, network, invalid."""
    ranked = (
        ExitCode.DONE,
        ExitCode.NOTHING,
        ExitCode.INVALID,
        ExitCode.NETWORK,
        ExitCode.PAUSED,
        ExitCode.COSTLY,
        ExitCode.BLOCKED,
        ExitCode.REFUSED,
        ExitCode.UNKNOWN,
    )
    return max(codes, key=ranked.index, default=ExitCode.DONE)
