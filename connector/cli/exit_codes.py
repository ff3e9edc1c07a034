"""What the process's exit code says; documented for scripts."""

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
    """Tasks wait until somebody has acted: a limit is spent, or a key is not let in."""
    BLOCKED = 6
    """Something on this side keeps tasks from going on: a file, a table, or the place where tasks are kept."""
    NOTHING = 7
    """All went well, but what was to be picked, written or imported is not there."""


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
    """The one that needs a person most: unknown, refused, blocked, paused, network, invalid."""
    ranked = (
        ExitCode.DONE,
        ExitCode.NOTHING,
        ExitCode.INVALID,
        ExitCode.NETWORK,
        ExitCode.PAUSED,
        ExitCode.BLOCKED,
        ExitCode.REFUSED,
        ExitCode.UNKNOWN,
    )
    return max(codes, key=ranked.index, default=ExitCode.DONE)
