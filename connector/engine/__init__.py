"""Where tasks are kept: what was accepted stays, whatever happens to the process or the machine.

Read `tasks` for what is kept, `change` for what one commit does, `store` for what every engine offers.
"""

from __future__ import annotations

from connector.engine.change import CallEnd, Carried, Change, Committed, Line, Settled, Spent
from connector.engine.store import (
    Fenced,
    Filter,
    Place,
    Store,
    StoreBroken,
    StoreError,
    StoreFull,
    StoreHeld,
    Superseded,
)
from connector.engine.tasks import DELETED, ENDS, LIVE, CallRecord, NewTask, Task, TaskState

__all__ = [
    "DELETED",
    "ENDS",
    "LIVE",
    "CallEnd",
    "CallRecord",
    "Carried",
    "Change",
    "Committed",
    "Fenced",
    "Filter",
    "Line",
    "NewTask",
    "Place",
    "Settled",
    "Spent",
    "Store",
    "StoreBroken",
    "StoreError",
    "StoreFull",
    "StoreHeld",
    "Superseded",
    "Task",
    "TaskState",
]
