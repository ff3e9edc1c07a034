"""Where the reading of a route stands: kept beside the tasks, and moved by the commit of what it covers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self

from connector.documents import dump
from connector.engine import Change, Store
from connector.model import JSON, is_object
from connector.routes.reading.highest import higher
from connector.subscribers import Bookmark

__all__ = ["Position", "Standing", "reset"]


@dataclass(frozen=True, slots=True)
class Position:
    """How far the readings of a route are.

    Attributes:
        value: the cursor after the last reading that came to its end.
        reading: the number of the last reading.
        open: whether it has not come to its end.
        highest: the highest value that it has seen.
        again: how often the route was reset.
        whole: whether it has seen everything there is, so far.
    """

    value: JSON = None
    reading: int = 0
    open: bool = False
    highest: JSON = None
    again: int = 0
    whole: bool = True

    @classmethod
    def of(cls, kept: JSON) -> Self:
        """The position that was kept; the first one when none was."""
        names = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in kept.items() if name in names}) if is_object(kept) else cls()

    def begun(self) -> Position:
        """With a reading under way: one that was broken off, or the next."""
        if self.open:
            return self
        return replace(self, reading=self.reading + 1, open=True, highest=None, whole=True)

    def ended(self) -> Position:
        """With no reading under way."""
        return replace(self, open=False, value=higher(self.value, self.highest), highest=None)


class Standing:
    """The position and the bookmarks of one route, as they are kept.

    Args:
        store: where they are kept.
        route: whose they are.
        lasting: whether bookmarks of earlier readings count.
        redact: hides secrets; a place that holds one is not kept.
    """

    def __init__(self, store: Store, route: str, *, lasting: bool, redact: Callable[[str], str]) -> None:
        self._store = store
        self._route = route
        self._lasting = lasting
        self._redact = redact
        self._kept: dict[str, Mapping[str, Any]] = {}
        self.position = Position()
        self.resumed = False
        """Whether this reading goes on with one that was broken off."""

    async def load(self) -> None:
        """Takes up what is kept, and begins a reading."""
        kept = Position.of(await self._store.cursor(self._route))
        self.resumed = kept.open
        self.position = kept.begun()
        self._kept = dict(await self._store.records(_space(self._route)))

    def marked(self, part: str) -> Bookmark:
        """Where this reading goes on with a part."""
        kept = self._kept.get(part)
        if kept is None:
            return Bookmark(part)
        mark = Bookmark(part, kept["place"], kept["count"], kept["lasting"])
        mine = kept["reading"] == self.position.reading
        return mark if mine or (mark.lasting and self._lasting) else Bookmark(part, lasting=mark.lasting)

    def moved(self, marks: Mapping[str, Bookmark], highest: JSON, *, whole: bool) -> Change:
        """What is to be committed with the documents that these bookmarks cover."""
        self.position = replace(self.position, highest=highest, whole=self.position.whole and whole)
        records: dict[tuple[str, str], JSON] = {}
        for part, mark in marks.items():
            text = dump(mark.place).decode()
            if self._redact(text) == text:
                kept = {**asdict(mark), "reading": self.position.reading}
                self._kept[part] = records[_space(self._route), part] = kept
        return Change(cursors={self._route: asdict(self.position)}, records=records)

    def ended(self) -> Change:
        """What is to be committed when everything has been read."""
        return replace(self.forgotten(), cursors={self._route: asdict(self.position.ended())})

    def forgotten(self) -> Change:
        """Forgets where this reading alone would have gone on."""
        gone = [part for part, kept in self._kept.items() if not kept["lasting"]]
        for part in gone:
            del self._kept[part]
        return Change(records={(_space(self._route), part): None for part in gone})


async def reset(store: Store, route: str) -> Change:
    """What makes the next reading the first one again, whose documents are taken although they were seen."""
    kept = Position.of(await store.cursor(route))
    marks = await store.records(_space(route))
    fresh = Position(reading=kept.reading, again=kept.again + 1)
    return Change(cursors={route: asdict(fresh)}, records={(_space(route), part): None for part in marks})


def _space(route: str) -> str:
    return f"bookmarks:{route}"
