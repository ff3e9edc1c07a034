"""States as the numbers that are stored, and where a live task stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from connector.engine.tasks import TaskState

__all__ = ["CARRIED", "CODES", "DUE", "HELD", "LEASED", "LIVE_CODES", "NOWHERE", "PROCESSING", "READY", "STATES"]

STATES: Final[Sequence[TaskState]] = (
    TaskState.NEW,
    TaskState.WAITING,
    TaskState.PROCESSING,
    TaskState.FINISHED,
    TaskState.FAILED,
    TaskState.SKIPPED,
    TaskState.UNKNOWN,
)
"""By number. A task that was leased once is not new any more, so only others are looked up for earlier calls."""
CODES: Final[Mapping[TaskState, int]] = {state: code for code, state in enumerate(STATES)}
PROCESSING: Final = CODES[TaskState.PROCESSING]
LIVE_CODES: Final = range(PROCESSING + 1)

NOWHERE: Final = 0
"""It has come to an end."""
READY: Final = 1
DUE: Final = 2
"""It has a time before which it is not given; looked at when tasks are leased and nowhere else, as clocks jump."""
HELD: Final = 3
"""An earlier task of its order key is live."""
CARRIED: Final = 4
LEASED: Final = 5
