"""When what has to be looked at again, earliest first; it survives with the sandbox's state."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from heapq import heapify, heappop, heappush
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connector.sandbox.call import Objects

__all__ = ["Entry", "Timetable"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One object that goes on by itself, and when."""

    kind: str
    id: str
    parent: str
    due: float
    names: str = ""
    """Where the names come from that its moves give."""
    turn: int = 0
    """How often it was moved."""

    @property
    def name(self) -> str:
        return f"{self.kind}/{self.parent}/{self.id}"


class Timetable:
    """Entries by the moment they are due; a look costs the same however many wait."""

    def __init__(self, objects: Objects, name: str) -> None:
        self._objects = objects
        self._kept = f"sandbox {name}"
        self._order = count()
        self._waiting = [(entry.due, next(self._order), entry) for entry in self._stored()]
        heapify(self._waiting)

    def put(self, entry: Entry) -> None:
        """Has the entry taken when it is due, and at no other time that was said before."""
        self._objects.put(self._kept, {**asdict(entry), "id": entry.name, "of": entry.id})
        heappush(self._waiting, (entry.due, next(self._order), entry))

    def take(self, now: float) -> Entry | None:
        """The earliest entry that is due. Its taker says `put` or `drop`; without either, a restart finds it again."""
        while self._waiting and self._waiting[0][0] <= now:
            entry = heappop(self._waiting)[2]
            row = self._objects.get(self._kept, entry.name)
            if row is not None and row["due"] == entry.due:  # else it was dropped, or put again for another time
                return entry
        return None

    def drop(self, entry: Entry) -> None:
        """The entry goes on no more."""
        self._objects.delete(self._kept, entry.name)

    @property
    def due(self) -> float | None:
        """When the next entry is due; nothing when none waits."""
        return self._waiting[0][0] if self._waiting else None

    def _stored(self) -> Iterator[Entry]:
        for row in self._objects.all(self._kept):
            yield Entry(row["kind"], row["of"], row["parent"], row["due"], row["names"], row["turn"])
