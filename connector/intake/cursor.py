"""The position of a route's reading: kept beside the tasks, and moved by the commit of what it covers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from connector.documents import dump
from connector.engine import Change, Store
from connector.errors import ConfigurationError
from connector.model import JSON, is_object
from connector.subscribers import Bookmark

__all__ = ["CursorState", "Position", "max_watermark", "reset_cursor", "step_back"]


def max_watermark(first: JSON, second: JSON) -> JSON:
    """Return the higher of two values; one that is null counts for nothing."""
    if first is None or second is None:
        return second if first is None else first
    one, other = _comparable(first), _comparable(second)
    if type(one) is not type(other):
        seen = f"the cursor was {_format(first)} and is now {_format(second)}"
        raise ConfigurationError(f"{seen}, which cannot be compared; let its field give values of one kind")
    return second if other > one else first  # type: ignore[operator]  # the types are the same


def step_back(value: JSON, seconds: float) -> JSON:
    """Return a value that is some seconds earlier, in the same notation; text that is no time is unchanged."""
    if not seconds or value is None:
        return value
    if isinstance(value, int | float):
        return value - (int(seconds) if isinstance(value, int) and seconds == int(seconds) else seconds)
    found = _parse_time(value) if isinstance(value, str) else None
    if found is None:
        return value
    earlier = found - timedelta(seconds=seconds)
    if len(value) == len("2026-01-01"):
        return earlier.date().isoformat()
    text = earlier.isoformat(sep=value[10])
    return text.removesuffix("+00:00") + "Z" if value.endswith(("Z", "z")) else text


def _comparable(value: JSON) -> float | datetime | str:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ConfigurationError(f"the cursor is {_format(value)}; a number, a time or other text is needed")
    if isinstance(value, str):
        found = _parse_time(value)
        return value if found is None else found if found.tzinfo else found.replace(tzinfo=UTC)
    return float(value)


def _parse_time(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if len(text) >= len("2026-01-01") and text[4] == "-" else None


def _format(value: JSON) -> str:
    return repr(value)[:60]


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
        """Return the position that was kept; the first one when none was."""
        names = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in kept.items() if name in names}) if is_object(kept) else cls()

    def begun(self) -> Position:
        """Return the position with a reading under way: the interrupted one, or the next."""
        if self.open:
            return self
        return replace(self, reading=self.reading + 1, open=True, highest=None, whole=True)

    def ended(self) -> Position:
        """Return the position with no reading under way."""
        return replace(self, open=False, value=max_watermark(self.value, self.highest), highest=None)


class CursorState:
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
        """Take up what is kept, and begins a reading."""
        kept = Position.of(await self._store.cursor(self._route))
        self.resumed = kept.open
        self.position = kept.begun()
        self._kept = dict(await self._store.records(_space(self._route)))

    def marked(self, part: str) -> Bookmark:
        """Return where this reading goes on with a part."""
        kept = self._kept.get(part)
        if kept is None:
            return Bookmark(part)
        mark = Bookmark(part, kept["place"], kept["count"], kept["lasting"])
        mine = kept["reading"] == self.position.reading
        return mark if mine or (mark.lasting and self._lasting) else Bookmark(part, lasting=mark.lasting)

    def moved(self, marks: Mapping[str, Bookmark], highest: JSON, *, whole: bool) -> Change:
        """Return what is to be committed with the documents that these bookmarks cover."""
        self.position = replace(self.position, highest=highest, whole=self.position.whole and whole)
        records: dict[tuple[str, str], JSON] = {}
        for part, mark in marks.items():
            text = dump(mark.place).decode()
            if self._redact(text) == text:
                kept = {**asdict(mark), "reading": self.position.reading}
                self._kept[part] = records[_space(self._route), part] = kept
        return Change(cursors={self._route: asdict(self.position)}, records=records)

    def ended(self) -> Change:
        """Return what is to be committed when everything has been read."""
        return replace(self.forgotten(), cursors={self._route: asdict(self.position.ended())})

    def forgotten(self) -> Change:
        """Forget where this reading alone would have gone on."""
        gone = [part for part, kept in self._kept.items() if not kept["lasting"]]
        for part in gone:
            del self._kept[part]
        return Change(records={(_space(self._route), part): None for part in gone})


async def reset_cursor(store: Store, route: str) -> Change:
    """Return what makes the next reading the first one again, whose documents are taken although they were seen."""
    kept = Position.of(await store.cursor(route))
    marks = await store.records(_space(route))
    fresh = Position(reading=kept.reading, again=kept.again + 1)
    return Change(cursors={route: asdict(fresh)}, records={(_space(route), part): None for part in marks})


def _space(route: str) -> str:
    return f"bookmarks:{route}"
