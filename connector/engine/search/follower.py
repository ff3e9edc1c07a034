"""Keep an index up to date: by the feed while somebody looks, by comparing digests after nobody did."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

from connector.aio.tasks import cancel_all
from connector.engine.feed import BLOCK_BITS, Changes, TaskFeed, TaskRow
from connector.engine.search.index_file import IndexFile
from connector.engine.store import StoreError
from connector.timing import SYSTEM, Timing

__all__ = ["Follower"]

INTERVAL = 0.5
"""Seconds between two looks at the feed."""
QUIET = 600.0
"""Seconds after which nobody looks any more."""
WATCH = 120.0
"""Seconds for which the store is asked to note changes, again and again."""
AT_ONCE = 1_000
"""Changed tasks in one transaction of the index."""
DOCUMENTS = 500
"""Documents in one transaction of the index."""
COMPARED = 10.0
"""Seconds between two comparisons of all tasks, should the feed not keep up."""
COMPARED_AT_ONCE = 1 << 17
"""Tasks of which digests are read at once: others wait for no longer."""
REST = 1.0
"""Seconds for which indexing documents rests after each second of its work."""
RETRY = 5.0
"""Seconds after which an error is tried again."""
NO_DOCUMENTS: Mapping[int, bytes] = {}

log = logging.getLogger(__name__)


class Follower:
    """Brings an index up to date.

    Args:
        feed: the changes of the store.
        file: the index.
        on_change: called with the ids of tasks that changed, after the index shows it; none given stand for many.
        wall: seconds since 1970.
    """

    def __init__(
        self,
        feed: TaskFeed,
        file: IndexFile,
        on_change: Callable[[Sequence[int]], None],
        timing: Timing = SYSTEM,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._feed = feed
        self._file = file
        self._on_change = on_change
        self._timing = timing
        self._wall = wall
        self._name = secrets.token_hex(8)
        self._mark = ""
        self._blocks: deque[int] = deque()
        self._looked = self._synced = self._watched = self._compared = float("-inf")
        self._poke = asyncio.Event()
        self._round = asyncio.Event()
        self._begun = self._ended = 0
        self._turn = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self.indexed = 0
        """Up to which task documents are indexed."""
        self.wants_text = False
        """Whether somebody has searched documents, so that they are indexed."""

    def start(self) -> None:
        """Follow until it is closed."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """End, and let the store note changes no longer."""
        await cancel_all(self._task)
        if self._file.keeps:
            with contextlib.suppress(StoreError):
                await self._feed.unwatch(self._name)

    @property
    def is_behind(self) -> bool:
        """Whether tasks are missing or stale that were not compared with the store's yet."""
        return bool(self._blocks) or not self._mark

    @property
    def lag(self) -> float:
        """Seconds since the index was brought up to date."""
        return max(self._timing.clock() - self._synced, 0.0)

    async def look(self, patience: float) -> None:
        """Note that somebody looks, and wait a little until the index is up to date."""
        self._looked = self._timing.clock()
        if self._task is None:
            return
        wanted = self._begun + 1  # one that is under way may have read the feed already
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while self._ended < wanted or self._blocks:
                    self._poke.set()
                    self._round.clear()
                    await self._round.wait()

    async def want_text(self) -> None:
        """Have documents indexed from now on."""
        if not self.wants_text:
            self.wants_text = True
            await self._file.write(partial(self._file.put_meta, "text", "wanted"))
            self._poke.set()

    async def settle(self) -> None:
        """Bring everything up to date, documents included if they are wanted."""
        while await self.step():
            pass

    async def step(self) -> bool:
        """Take in what changed, and a bit of what is behind; return whether something is left."""
        async with self._turn:
            return await self._step()

    async def _run(self) -> None:
        while True:
            try:
                began = self._timing.clock()
                busy = await self.step()
                wait = (self._timing.clock() - began) * REST if busy else INTERVAL
            except StoreError as error:
                log.warning("the index of tasks is not brought up to date: %s", error)
                wait = RETRY
            except Exception:
                # Pages are answered from what is there, and say how old that is.
                log.exception("the index of tasks is not brought up to date")
                wait = RETRY
            if self._timing.clock() - self._looked > QUIET and self._file.keeps and not await self._is_looked_at():
                await self._rest()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._poke.wait()
            self._poke.clear()

    async def _rest(self) -> None:
        """Wait until somebody looks; meanwhile the store notes nothing."""
        with contextlib.suppress(StoreError):
            await self._feed.unwatch(self._name)
        self._watched, self._mark = float("-inf"), ""
        while not self._poke.is_set() and not await self._is_looked_at():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RETRY):
                    await self._poke.wait()

    async def _is_looked_at(self) -> bool:
        """Return whether somebody looks through another process."""
        known = (await self._file.write(self._file.meta)).get("looked", "0")
        return self._wall() - float(known) < WATCH

    async def _step(self) -> bool:
        now = self._timing.clock()
        self._begun += 1
        if not self._file.try_keep():
            await self._ask_keeper(now)
            return False
        if now - self._watched > WATCH / 4:
            await self._read_progress()
            await self._feed.watch(self._name, WATCH)
            self._watched = now
        changes = await self._feed.changes(self._mark)
        if changes.whole:
            await self._apply(changes)
        elif now - self._compared >= COMPARED or not self._mark:
            await self._compare(now)
        self._mark = changes.mark
        self._end_round(now)
        if self._blocks:
            await self._take_block(self._blocks[0])
            self._blocks.popleft()
            return True
        return self.wants_text and await self._index_documents()

    async def _ask_keeper(self, now: float) -> None:
        """Tell the process that keeps the index that somebody looks here."""
        if now - self._watched > WATCH / 4:
            await self._file.write(partial(self._file.put_meta, "looked", str(self._wall())))
            self._watched = now
        await self._read_progress()
        self._end_round(now)

    def _end_round(self, now: float) -> None:
        self._synced, self._ended = now, self._begun
        self._round.set()

    async def _read_progress(self) -> None:
        known = await self._file.write(self._file.meta)
        self.indexed = int(known.get("indexed", "0"))
        self.wants_text = "text" in known

    async def _apply(self, changes: Changes) -> None:
        edited = {task for task in changes.edited if task <= self.indexed}
        for at in range(0, len(changes.tasks), AT_ONCE):
            ids = changes.tasks[at : at + AT_ONCE]
            rows = await self._feed.rows(ids)
            replaced = edited.intersection(ids)
            documents = await self._read_documents(replaced)
            gone = set(ids).difference(row.id for row in rows)
            await self._file.write(partial(self._put, rows, gone, documents))
        if changes.tasks:
            self._on_change(changes.tasks)

    async def _read_documents(self, tasks: Collection[int]) -> Mapping[int, bytes]:
        return await self._feed.documents(sorted(tasks)) if tasks else NO_DOCUMENTS

    def _put(self, rows: Sequence[TaskRow], gone: set[int], documents: Mapping[int, bytes]) -> None:
        self._file.put_rows(rows, gone)
        if documents:
            self._file.put_documents(documents.items())

    async def _compare(self, now: float) -> None:
        """Find the blocks that differ from the store's; the newest come first."""
        newest = max(await self._feed.newest(), await self._file.read(self._file.newest))
        self._blocks.clear()
        for last in range(newest | (COMPARED_AT_ONCE - 1), 0, -COMPARED_AT_ONCE):
            first = last - COMPARED_AT_ONCE + 1
            stored = {digest.block: digest for digest in await self._feed.digests(first, last)}
            known = {
                digest.block: digest for digest in await self._file.write(partial(self._file.digests, first, last))
            }
            differing = (block for block in stored.keys() | known.keys() if stored.get(block) != known.get(block))
            self._blocks += sorted(differing, reverse=True)
        self._compared = now

    async def _take_block(self, block: int) -> None:
        first, last = block << BLOCK_BITS, ((block + 1) << BLOCK_BITS) - 1
        rows = await self._feed.rows_between(first, last)
        edited = await self._file.write(partial(self._file.find_changed, block, rows)) if first <= self.indexed else ()
        documents = await self._read_documents([task for task in edited if task <= self.indexed])
        await self._file.write(partial(self._put_block, block, rows, documents))
        self._on_change(() if len(rows) > 1 else [row.id for row in rows])

    def _put_block(self, block: int, rows: Sequence[TaskRow], documents: Mapping[int, bytes]) -> None:
        self._file.put_block(block, rows)
        if documents:
            self._file.put_documents(documents.items())

    async def _index_documents(self) -> bool:
        """Index the next documents; return whether there were any."""
        documents = await self._feed.documents_after(self.indexed, DOCUMENTS)
        if not documents:
            return False
        indexed = documents[-1][0]
        await self._file.write(partial(self._put_documents, documents, indexed))
        self.indexed = indexed
        return True

    def _put_documents(self, documents: Sequence[tuple[int, bytes]], indexed: int) -> None:
        self._file.put_documents(documents)
        self._file.put_meta("indexed", str(indexed))
