"""What is asked of the index: which tasks, in which order, and from where on."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from typing import Final, Literal

import orjson

from connector.engine.feed import RANKS, TaskRow
from connector.engine.search.paths import FieldValue
from connector.engine.tasks import TaskState
from connector.errors import ConfigurationError
from connector.model import JSON, is_list

__all__ = ["COLUMNS", "Column", "FilterCounts", "Order", "Page", "PageQuery", "Position", "Searched", "TaskFilter"]

Column = Literal["id", "route", "state", "key", "attempts", "reason", "created", "updated", "due"]
COLUMNS: Final[tuple[Column, ...]] = (
    "id", "route", "state", "key", "attempts", "reason", "created", "updated", "due",
)  # fmt: skip
Position = tuple[str | int | float, int]
"""The place of a task in an order: its value there, and its id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilter:
    """Which tasks are meant; all given conditions must hold.

    Attributes:
        routes: the names of routes, of which one must fit; and so with states.
        reason: a part of the reason.
        text: a part of the document as JSON; letters of ASCII fit in either case.
        fields: values at places of the document.
        created_from: seconds since 1970, included; the ends of ranges are not.
    """

    routes: Sequence[str] = ()
    states: Sequence[TaskState] = ()
    key: str = ""
    reason: str = ""
    text: str = ""
    fields: Sequence[FieldValue] = ()
    created_from: float | None = None
    created_to: float | None = None
    updated_from: float | None = None
    updated_to: float | None = None

    @property
    def reads_documents(self) -> bool:
        """Whether documents decide."""
        return bool(self.text or self.fields)

    @property
    def ranges(self) -> Sequence[tuple[Column, str, float]]:
        """The bounds that are given: a column, a comparison and a value."""
        bounds: tuple[tuple[Column, str, float | None], ...] = (
            ("created", ">=", self.created_from),
            ("created", "<", self.created_to),
            ("updated", ">=", self.updated_from),
            ("updated", "<", self.updated_to),
        )
        return [(column, sign, value) for column, sign, value in bounds if value is not None]

    @property
    def narrows(self) -> bool:
        """Whether more decides than route and state."""
        return bool(self.key or self.reason or self.ranges or self.reads_documents)


@dataclass(frozen=True, slots=True)
class Order:
    """A column, ascending or descending; equal ones by their ids, in the same direction."""

    column: Column = "id"
    descending: bool = False

    @classmethod
    def parse(cls, text: str) -> Order:
        """Return an order such as `-updated`; raise ConfigurationError for a column that is not listed."""
        name = text.removeprefix("-")
        for column in COLUMNS:
            if column == name:
                return cls(column, text.startswith("-"))
        raise ConfigurationError(
            f"sort: {text!r} is no column; {', '.join(COLUMNS)} are allowed, with - before it for descending order"
        )

    def place(self, row: TaskRow) -> Position:
        """Return a row's place in the order."""
        if self.column == "state":
            return RANKS[row.state], row.id
        value: str | int | float = getattr(row, self.column)
        return value, row.id

    def is_before(self, one: Position, other: Position) -> bool:
        """Return whether a place comes before another."""
        return one > other if self.descending else one < other


@dataclass(frozen=True, slots=True, kw_only=True)
class PageQuery:
    """A page of tasks.

    Attributes:
        cursor: where an earlier page of the same query ended; the beginning unless given.
    """

    filter: TaskFilter = field(default_factory=TaskFilter)
    order: Order = field(default_factory=Order)
    limit: int = 50
    cursor: str = ""

    @property
    def mark(self) -> str:
        """What a cursor of this query is known by."""
        known = orjson.dumps([asdict(self.filter), asdict(self.order)], option=orjson.OPT_SORT_KEYS)
        return blake2b(known, digest_size=6).hexdigest()

    def encode(self, position: Position) -> str:
        """Return the cursor that goes on after a place."""
        return base64.urlsafe_b64encode(orjson.dumps([self.mark, *position])).decode().rstrip("=")

    def start(self) -> Position | None:
        """Return the place after which the page begins; raise ConfigurationError for a cursor of another query."""
        if not self.cursor:
            return None
        mark, value, number = self._decode()
        is_text = self.order.column in ("route", "key", "reason")
        if mark != self.mark or not isinstance(number, int) or not isinstance(value, str if is_text else int | float):
            raise ConfigurationError(
                "cursor: it is not of this list; take the one that a page of the same filter and order gave, or none"
            )
        return value, number

    def _decode(self) -> tuple[JSON, JSON, JSON]:
        try:
            found: JSON = orjson.loads(base64.urlsafe_b64decode(self.cursor + "=" * (-len(self.cursor) % 4)))
        except ValueError:
            found = None
        return (found[0], found[1], found[2]) if is_list(found) and len(found) == 3 else (None, None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """How far an answer may be trusted.

    Attributes:
        whole: whether nothing was left out; otherwise time was up, and the cursor goes on, or the index is being made.
        indexed: how many tasks the index holds.
        stored: how many the store holds.
        documents: up to which share, from 0 to 1, the documents are indexed; None while nobody has searched them.
        lag: seconds since the index was last brought up to date.
    """

    whole: bool
    indexed: int
    stored: int
    documents: float | None
    lag: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Tasks in their order, and how to go on; None when there are no more."""

    rows: Sequence[TaskRow]
    next: str | None
    searched: Searched


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterCounts:
    """Tasks by state; at least so many, unless they are exact."""

    by_state: dict[TaskState, int]
    exact: bool
    searched: Searched
