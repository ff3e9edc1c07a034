"""Who may change a task: the process that leased it, or that leased what carries it."""

from __future__ import annotations

from collections.abc import Mapping

from connector.engine.change import Change
from connector.engine.sqlite.codes import CARRIED
from connector.engine.sqlite.leases import Lease
from connector.engine.sqlite.session import Session
from connector.engine.store import Fenced, StoreError

__all__ = ["Hands", "hands"]

Hands = Mapping[int, Lease]
MEMBER = f"SELECT route, ord, carrier FROM tasks WHERE id = ? AND queue = {CARRIED}"


def hands(session: Session, change: Change) -> Hands:
    """What is known of each task that the change is about; Fenced when one is not this process's to change."""
    found: dict[int, Lease] = {}
    for parts in (change.intend, change.end, change.settle):
        for part in parts:
            if part.task not in found:
                found[part.task] = session.leases.get(part.task) or _member(session, part.task)
    for carried in change.carry:
        for task in carried.members:
            lease = session.leases.get(task)
            if lease is None:
                raise _fenced(task)
            if lease.members:
                raise StoreError(f"task {task} carries others, so it cannot go in another task")
            found[task] = lease
    return found


def _member(session: Session, task: int) -> Lease:
    row = session.one(MEMBER, (task,))
    if not row or row[2] not in session.leases:
        raise _fenced(task)
    return Lease(row[0], row[1], 0)


def _fenced(task: int) -> Fenced:
    return Fenced(f"task {task} is not leased by this process; nothing was done")
