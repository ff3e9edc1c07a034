"""What the process's exit code says; documented for scripts."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from connector.errors import CallFailed, ConnectorError
from connector.model import Outcome, State

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
    return of_outcome(error.outcome) if isinstance(error, CallFailed) else ExitCode.INVALID


def worst(codes: Iterable[ExitCode]) -> ExitCode:
    """The one that needs a person most: unknown before refused before paused before network before invalid."""
    ranked = (
        ExitCode.DONE,
        ExitCode.INVALID,
        ExitCode.NETWORK,
        ExitCode.PAUSED,
        ExitCode.REFUSED,
        ExitCode.UNKNOWN,
    )
    return max(codes, key=ranked.index, default=ExitCode.DONE)
