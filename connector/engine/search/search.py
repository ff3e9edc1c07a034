"""Search a store's tasks by anything that is listed of them, in any order, in time that does not grow with them.

An answer has three ways, and takes the first that comes to an end: a short walk in the wanted order, which finds what
is frequent; the narrowest condition, which finds what is rare; and a longer walk, which may stop before its end, says
so, and goes on with its cursor.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from connector.engine.feed import TaskRow
from connector.engine.search.documents import DocumentMatch
from connector.engine.search.follower import Follower
from connector.engine.search.index_file import IndexFile
from connector.engine.search.query import FilterCounts, Order, Page, PageQuery, Position, Searched, TaskFilter
from connector.engine.search.select import count_states, find_by_document, find_by_row, read_rows
from connector.engine.search.walk import Walk
from connector.engine.store import Store
from connector.engine.tasks import TaskState
from connector.timing import SYSTEM, Timing

__all__ = ["Patience", "TaskSearch"]

FEW = 20_000
"""Tasks that are looked at one by one, whatever their order."""
READ_AT_ONCE = 400
"""Documents that are read at once."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds that each part of an answer may take."""

    sync: float = 0.06
    quick: float = 0.02
    narrow: float = 0.08
    whole: float = 0.13


@dataclass(slots=True)
class _Collected:
    """What was found so far."""

    rows: list[TaskRow] = field(default_factory=list[TaskRow])
    position: Position | None = None
    is_whole: bool = False


class TaskSearch:
    """The tasks of a store, searched through an index beside it.

    Args:
        store: where the tasks are.
        path: the file of the index.
        patience: how long an answer may take.
        on_change: called with the ids of tasks that changed; none stand for many.
    """

    def __init__(
        self,
        store: Store,
        path: Path,
        *,
        patience: Patience | None = None,
        on_change: Callable[[Sequence[int]], None] = lambda _: None,
        timing: Timing = SYSTEM,
    ) -> None:
        self._store = store
        self._patience = patience or Patience()
        self._timing = timing
        self._file = IndexFile(path)
        self.follower = Follower(store.feed, self._file, on_change, timing)

    def start(self) -> None:
        """Follow the store from now on."""
        self.follower.start()

    async def close(self) -> None:
        """End, and close the index."""
        await self.follower.close()
        await self._file.close()

    async def page(self, query: PageQuery) -> Page:
        """Return a page; raise ConfigurationError for a cursor of another query."""
        began = self._timing.clock()
        start = query.start()
        await self._look(query.filter)
        walk = await self._file.read(partial(Walk, self._file.reader, query, start))
        found = _Collected(position=start)
        match = DocumentMatch(query.filter)
        narrows, most = query.filter.narrows, query.limit + 1
        if not query.filter.key:  # few have the same key
            await self._follow(walk, found, match, most, began + (self._patience.quick if narrows else 3600.0))
        if narrows and not found.is_whole and len(found.rows) < most:
            few = await self._find_few(query.filter, match, began)
            if few is not None:
                await self._sift(few, query.order, found, match, most, began + self._patience.whole)
            else:
                await self._follow(walk, found, match, most, began + self._patience.whole)
        return await self._make_page(query, found)

    async def counts(self, wanted: TaskFilter) -> FilterCounts:
        """Return how many tasks fit, by state: exactly, or as many as were found in time."""
        began = self._timing.clock()
        await self._look(wanted)
        late = partial(self._is_late, began + self._patience.whole)
        if not wanted.narrows:
            stored = _select_counts(await self._store.counts(), wanted)
            return FilterCounts(by_state=stored, exact=True, searched=await self._searched(whole=True))
        if not wanted.reads_documents:
            known = await self._file.read(partial(count_states, self._file.reader, wanted, late))
            if known is not None:
                searched = await self._searched(whole=True)
                return FilterCounts(by_state=known, exact=searched.whole, searched=searched)
        match = DocumentMatch(wanted)
        found, until = _Collected(), began + self._patience.whole
        few = await self._find_few(wanted, match, began)
        if few is not None:
            await self._sift(few, Order("id", descending=True), found, match, FEW + 1, until)
        else:
            newest = PageQuery(filter=wanted, order=Order("id", descending=True), limit=READ_AT_ONCE)
            walk = await self._file.read(partial(Walk, self._file.reader, newest, None))
            await self._follow(walk, found, match, 10**9, until)
        counts: dict[TaskState, int] = {}
        for row in found.rows:
            counts[row.state] = counts.get(row.state, 0) + 1
        searched = await self._searched(whole=found.is_whole)
        return FilterCounts(by_state=counts, exact=searched.whole, searched=searched)

    async def wait_until_current(self, seconds: float) -> bool:
        """Wait until the index holds every task as it is; return whether it does."""
        await self.follower.look(seconds)
        return await self._is_current()

    async def _is_current(self) -> bool:
        """Return whether nothing is known to be missing; of an index that another process keeps, by the number."""
        if self._file.keeps:
            return not self.follower.is_behind
        return await self._file.read(self._file.count) >= await self._count_stored()

    async def _count_stored(self) -> int:
        return sum(sum(states.values()) for states in (await self._store.counts()).values())

    async def iterate(self, wanted: TaskFilter) -> AsyncGenerator[TaskRow, None]:
        """Yield all tasks that fit, the oldest first, however long that takes."""
        query = PageQuery(filter=wanted, limit=READ_AT_ONCE)
        while True:
            page = await self.page(query)
            for row in page.rows:
                yield row
            if page.next is None:
                return
            query = replace(query, cursor=page.next)

    async def newest_finished(self, route: str, most: int) -> Sequence[int]:
        """Return the tasks of a route that finished last."""
        wanted = TaskFilter(routes=[route], states=[TaskState.FINISHED])
        page = await self.page(PageQuery(filter=wanted, order=Order("updated", descending=True), limit=most))
        return [row.id for row in page.rows]

    async def _look(self, wanted: TaskFilter) -> None:
        await self.follower.look(self._patience.sync)
        if wanted.reads_documents:
            await self.follower.want_text()

    async def _follow(self, walk: Walk, found: _Collected, match: DocumentMatch, most: int, until: float) -> None:
        """Walk until enough is found or it is late."""
        while len(found.rows) < most:
            rows = await self._file.read(partial(self._step, walk, until))
            found.rows += await self._fitting(rows, match)
            found.position = walk.position
            if walk.is_done:
                found.is_whole = True
                return
            if self._is_late(until):
                return

    def _step(self, walk: Walk, until: float) -> Sequence[TaskRow]:
        """Return the next rows, at least as many as are worth a look at their documents; fewer when it is late."""
        rows = list(walk.step())
        while len(rows) < READ_AT_ONCE // 8 and not walk.is_done and not self._is_late(until):
            rows += walk.step()
        return rows

    async def _find_few(self, wanted: TaskFilter, match: DocumentMatch, began: float) -> Sequence[TaskRow] | None:
        """Return the tasks that may fit; None when they are many or it takes too long."""
        late = partial(self._is_late, began + self._patience.narrow)
        reader, indexed = self._file.reader, self.follower.indexed
        if match.expression and indexed:
            ids = await self._file.read(partial(find_by_document, reader, match.expression, indexed, FEW, late))
            if ids is not None:
                return await self._file.read(partial(read_rows, reader, wanted, ids))
        return await self._file.read(partial(find_by_row, reader, wanted, FEW, late))

    async def _sift(
        self, few: Sequence[TaskRow], order: Order, found: _Collected, match: DocumentMatch, most: int, until: float
    ) -> None:
        """Look at a few tasks in their order, after what was found before."""
        after = found.position
        placed = [(order.place(row), row) for row in few]
        left = [one for one in placed if after is None or order.is_before(after, one[0])]
        left.sort(key=lambda one: one[0], reverse=order.descending)
        for at in range(0, len(left), READ_AT_ONCE):
            some = left[at : at + READ_AT_ONCE]
            found.rows += await self._fitting([row for _, row in some], match)
            found.position = some[-1][0]
            if len(found.rows) >= most:
                return
            if self._is_late(until) and at + READ_AT_ONCE < len(left):
                return
        found.is_whole = True

    async def _fitting(self, rows: Sequence[TaskRow], match: DocumentMatch) -> Sequence[TaskRow]:
        """Return the rows whose documents fit."""
        if not match.reads or not rows:
            return rows
        documents = await self._store.feed.documents([row.id for row in rows])
        return await self._file.read(partial(_sift_documents, rows, documents, match))

    async def _make_page(self, query: PageQuery, found: _Collected) -> Page:
        rows, following = found.rows, None
        if len(rows) > query.limit:
            rows = rows[: query.limit]
            following = query.order.place(rows[-1])
        elif not found.is_whole:
            following = found.position
        whole = found.is_whole or len(found.rows) > query.limit
        return Page(
            rows=rows,
            next=None if following is None else query.encode(following),
            searched=await self._searched(whole=whole),
        )

    async def _searched(self, *, whole: bool) -> Searched:
        stored, current = await self._count_stored(), await self._is_current()
        indexed = stored if current else await self._file.read(self._file.count)
        newest = await self._file.read(self._file.newest)
        documents = min(self.follower.indexed / newest, 1.0) if newest else 1.0
        return Searched(
            whole=whole and current,
            indexed=indexed,
            stored=stored,
            documents=documents if self.follower.wants_text else None,
            lag=self.follower.lag,
        )

    def _is_late(self, until: float) -> bool:
        return self._timing.clock() >= until


def _select_counts(counts: Mapping[str, Mapping[TaskState, int]], wanted: TaskFilter) -> dict[TaskState, int]:
    found: dict[TaskState, int] = {}
    for route, states in counts.items():
        for state, tasks in states.items():
            if (
                (not wanted.routes or route in wanted.routes)
                and (not wanted.states or state in wanted.states)
                and tasks
            ):
                found[state] = found.get(state, 0) + tasks
    return found


def _sift_documents(rows: Sequence[TaskRow], documents: Mapping[int, bytes], match: DocumentMatch) -> Sequence[TaskRow]:
    return [row for row in rows if (document := documents.get(row.id)) is not None and match.fits(document)]
