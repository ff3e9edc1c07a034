"""Changes that make no sense, refused before anything of them is done."""

from __future__ import annotations

from connector.engine.change import Change
from connector.engine.store import StoreError
from connector.engine.tasks import ENDS, TaskState

__all__ = ["check"]


def check(change: Change) -> None:
    """Raises StoreError for a change that settles a task twice, or in a way in which none can be settled."""
    if len({one.task for one in change.settle}) < len(change.settle):
        raise StoreError("a task is settled twice in one change; nothing was done")
    for one in change.settle:
        if one.state is TaskState.PROCESSING:
            raise StoreError(f"task {one.task} cannot be settled as processing; it can end, wait or be new")
        if one.carried and one.state not in ENDS:
            raise StoreError(f"task {one.task} does not end as {one.state}, so those that go in it cannot end with it")
