"""The tasks that this process works on; the file says only that somebody does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = ["Lease", "Leases"]


@dataclass(slots=True)
class Lease:
    """What is remembered of a leased task, so that its changes need not be looked up.

    Attributes:
        route: its number.
        order: its order key.
        members: how many tasks it carries.
        made: how many calls were made for it.
        calls: the places of its calls by attempt and number, the newest of each.
    """

    route: int
    order: str | None
    members: int
    made: int = 0
    calls: dict[tuple[int, int], int] = field(default_factory=dict[tuple[int, int], int])


class Leases:
    """Leased tasks by id; what a transaction did to them can be undone with it."""

    def __init__(self) -> None:
        self._held: dict[int, Lease] = {}
        self._undo: list[tuple[int, Lease | None]] = []

    def __contains__(self, task: int) -> bool:
        return task in self._held

    def __iter__(self) -> Iterator[int]:
        return iter(self._held)

    def get(self, task: int) -> Lease | None:
        return self._held.get(task)

    def of(self, route: int) -> int:
        """How many tasks of a route are leased."""
        return sum(lease.route == route for lease in self._held.values())

    def add(self, task: int, lease: Lease) -> None:
        self._undo.append((task, None))
        self._held[task] = lease

    def drop(self, task: int) -> Lease:
        lease = self._held.pop(task)
        self._undo.append((task, lease))
        return lease

    def keep(self) -> None:
        """What was done stays."""
        self._undo.clear()

    def undo(self) -> None:
        """What was done since the last `keep` was not done."""
        for task, lease in reversed(self._undo):
            if lease is None:
                del self._held[task]
            else:
                self._held[task] = lease
        self._undo.clear()
