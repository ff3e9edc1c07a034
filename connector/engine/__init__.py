"""The durable store of tasks: what was accepted outlives the process and the machine.

`tasks` holds what is stored, `change` what one commit does, `store` what every engine offers.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from connector.engine.change import CallEnd, Carrier, Change, CommitResult, Expense, Line, Reservation, Settlement
from connector.engine.store import (
    BudgetExceeded,
    Fenced,
    Filter,
    PendingLines,
    Store,
    StoreBroken,
    StoreError,
    StoreFull,
    StoreHeld,
    Superseded,
)
from connector.engine.tasks import DELETED, ENDS, LIVE, CallRecord, NewTask, Task, TaskState
from connector.errors import ConfigurationError

__all__ = [
    "DELETED",
    "ENDS",
    "LIVE",
    "BudgetExceeded",
    "CallEnd",
    "CallRecord",
    "Carrier",
    "Change",
    "CommitResult",
    "Expense",
    "Fenced",
    "Filter",
    "Line",
    "NewTask",
    "PendingLines",
    "Reservation",
    "Role",
    "Settlement",
    "Store",
    "StoreBroken",
    "StoreError",
    "StoreFull",
    "StoreHeld",
    "Superseded",
    "Task",
    "TaskState",
    "open_store",
]

Role = Literal["runner", "admin"]
SQLITE = "sqlite:///"


async def open_store(
    url: str, *, worker: str = "", clock: Callable[[], float] = time.time, role: Role = "runner", new: bool = False
) -> Store:
    """Open the store that a URL names; raise StoreError when it cannot be opened.

    Args:
        url: `sqlite:///FILE`, below the working directory unless absolute, or `postgresql://…`.
        worker: the name under which this process leases; generated unless given.
        clock: seconds since 1970.
        role: a runner works on tasks; an admin inspects and repairs them, also while a runner works.
        new: whether to accept a database that is missing, or older than the last run left it.
    """
    if url.startswith(SQLITE) and len(url) > len(SQLITE):
        from connector.engine.sqlite import open_sqlite

        path = url.removeprefix(SQLITE)
        return await open_sqlite(Path(path), worker=worker, clock=clock, runs=role == "runner", new=new)
    scheme = url.partition(":")[0]
    if scheme in ("postgresql", "postgres"):
        from connector.engine.postgresql import PostgreSQLStore

        return await PostgreSQLStore.open(url, worker=worker, wall=clock, runs=role == "runner")
    raise ConfigurationError(
        f"engine: cannot keep tasks in {scheme!r}; sqlite:///FILE and postgresql://USER:PASSWORD@HOST/NAME are allowed"
    )
