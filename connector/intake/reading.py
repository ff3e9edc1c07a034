"""A route's documents from its incoming connection to accepted tasks, the position in the same commit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from connector.delivery.route_spec import INCOMING, RouteSpec, incoming_chain, input_chain, route_spec
from connector.engine import Change, Store, failpoints
from connector.engine.commits import Committer
from connector.errors import ConfigurationError
from connector.intake.backpressure import Backpressure, Buffer, CommitGroup
from connector.intake.cursor import CursorState, max_watermark, step_back
from connector.intake.dead_letters import DEAD_LETTER, TaskFactory, no_trace
from connector.intake.input_requests import InputRequests
from connector.model import JSON, CallFailed, State
from connector.pipeline import IncomingRun, Runtime
from connector.pipeline.reader import ReadResult
from connector.subscribers import Bookmark
from connector.timing import SYSTEM, Timing
from connector.transform import compile_template

if TYPE_CHECKING:
    from connector.config.models import Incoming, Route
    from connector.delivery.storages import DurableStorages
    from connector.http.policy import Pause

__all__ = ["ReadingCounts", "RouteReading"]

GROUP, GROUP_BYTES = 500, 4 * 1024**2
"""At most this many documents, and about this many bytes, are accepted in one commit."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class ReadingCounts:
    """A reading in numbers."""

    read: int = 0
    accepted: int = 0
    known: int = 0
    failed: int = 0
    deleted: int = 0


def _never_pauses(_: str) -> Pause | None:
    """Nothing waits."""


class RouteReading:
    """One reading of a route's incoming connection.

    Args:
        runtime: the opened configuration.
        route: the route's name.
        store: where tasks and positions are kept.
        commits: the way into the store.
        keeping: the storages of chains on routes.
        timing: how to wait while the queue is full.
        trace: begins the trace of a document; see Making.
        paused: why the tasks of an implied route wait until somebody has acted, or the network is back.
    """

    def __init__(
        self,
        runtime: Runtime,
        route: str,
        store: Store,
        commits: Committer,
        keeping: DurableStorages,
        timing: Timing = SYSTEM,
        trace: Callable[[str], str] = no_trace,
        paused: Callable[[str], Pause | None] = _never_pauses,
    ) -> None:
        settings: Route = _find(runtime, "routes", route)
        self._incoming: Incoming = _find(runtime, "incoming", settings.incoming)
        self._runtime = runtime
        self._route = route
        self._settings = settings
        self._store = store
        self._commits = commits
        self._storages = keeping
        self._whole = self._incoming.mode == "full"
        if settings.deletions == "tombstone":
            _check_deletions(route, settings, self._incoming)
        cursor = self._incoming.cursor
        where = f"incoming.{settings.incoming}.cursor.field"
        self._field = compile_template(f"?{{{cursor.field}}}", where=where) if cursor else None
        self._cursor = CursorState(store, route, lasting=not self._whole, redact=runtime.redact)
        self._stopping = asyncio.Event()
        intake = _intake_spec(runtime, route, settings)
        names = {route} if intake is None else {route, intake.name}
        self._room = Backpressure(store, tuple(sorted(names)), settings.max_tasks, timing)
        self._inputs = InputRequests(route, store, commits, paused, timing)
        self._asks_by_tasks = input_chain(runtime, settings.incoming).calls
        self._filling: asyncio.Task[None] | None = None
        self._highest: JSON = None
        self._factory = TaskFactory(runtime, route, trace, intake)
        self.tally = ReadingCounts()

    def stop(self) -> None:
        """Read no further; what was read is accepted, and the next reading goes on there."""
        self._stopping.set()
        self._room.open()
        if self._filling is not None:
            self._filling.cancel()

    def ended(self, count: int) -> None:
        """Note that tasks of the route have ended."""
        self._room.ended(count)
        self._inputs.look()

    async def run(self) -> ReadingCounts:
        """Read to the end; what was read before an error is accepted, and the next reading goes on there."""
        await self._cursor.load()
        self._highest = self._cursor.position.highest
        try:
            await self._read_all()
        except CallFailed as error:
            if not self._cursor.resumed or self.tally.read or error.outcome.state is not State.REFUSED:
                raise
            log.warning("route %r cannot read on where it was broken off, and begins anew: %s", self._route, error)
            await self._commits(self._cursor.forgotten())
            await self._read_all()
        if not self._stopping.is_set():
            await self._end()
        return self.tally

    async def _read_all(self) -> None:
        buffer = Buffer(min(GROUP, -(-self._settings.max_tasks // 10)), GROUP_BYTES)
        self._filling = asyncio.create_task(self._fill(buffer))
        try:
            while (group := await buffer.take()) is not None:
                await self._accept(group)
            await self._filling
        except asyncio.CancelledError:
            if not self._stopping.is_set() or not self._filling.cancelled():
                raise
        finally:
            self._filling.cancel()
            await asyncio.gather(self._filling, return_exceptions=True)

    async def _fill(self, buffer: Buffer) -> None:
        """Put everything that is read into the buffer."""
        self._inputs.begin(self._cursor.position.reading, self._cursor.position.again)
        asks = self._inputs if self._asks_by_tasks else None
        run = IncomingRun(self._runtime, self._settings.incoming, state=self._template_state(), asks=asks)
        self._factory.reading = self._cursor.position.reading
        self._factory.again = self._cursor.position.again
        try:
            if self._stopping.is_set():
                return
            raw = self._factory.takes_raw
            async with aclosing(run.read(self._cursor.marked, self._storages.begin, raw=raw)) as found:
                async for item in found:
                    if isinstance(item, Bookmark):
                        buffer.mark(item)
                    else:
                        await self._put(item, buffer)
        finally:
            buffer.close()

    async def _put(self, result: ReadResult, buffer: Buffer) -> None:
        for read in result.reads:
            self.tally.read += 1
            if self._field is not None and not (read.failed or read.in_doubt):
                value = self._field.resolve(read.document, self._runtime.scope)
                self._highest = max_watermark(self._highest, value)
        tasks, failed = self._factory.tasks(result)
        self.tally.failed += failed
        records = {place: value for keeps in result.kept for place, value in keeps.records().items()}
        if tasks or records:
            size = sum(len(orjson.dumps(task.document)) for task in tasks)
            await buffer.put(tasks, size, records)

    async def _accept(self, group: CommitGroup) -> None:
        if group.tasks:
            await self._room.take(len(group.tasks))
        change = self._cursor.moved(group.marks, self._highest, whole=not self.tally.failed)
        change.accept = group.tasks
        change.records = {**change.records, **group.records}
        failpoints.reach("reading.accept.before")
        await self._commit(change)
        failpoints.reach("reading.accept.committed")

    async def _commit(self, change: Change) -> int:
        """Commit; how many of the documents are new."""
        ids = (await self._commits(change)).accepted
        accepted = sum(1 for id_ in ids if id_)
        self.tally.accepted += accepted
        self.tally.known += len(ids) - accepted
        return accepted

    async def _end(self) -> None:
        if self._settings.deletions == "tombstone":
            await self._bury_deleted()
        failpoints.reach("reading.end.before")
        change = self._cursor.ended()
        change.records = {**change.records, **await self._inputs.forgotten()}
        await self._commits(change)
        failpoints.reach("reading.end.committed")

    async def _bury_deleted(self) -> None:
        """Accept a tombstone for each document that has vanished, if the reading saw everything."""
        position = self._cursor.position
        if not position.whole:
            log.warning("route %r: some documents could not be read, so nobody can tell which are gone", self._route)
            return
        keys: list[str] = []
        async with aclosing(self._store.vanished_keys(self._factory.taken_by, position.reading)) as vanished:
            async for key in vanished:
                keys += [] if key.startswith(DEAD_LETTER) else [key]
                if len(keys) == GROUP:
                    await self._bury(keys)
                    keys = []
        await self._bury(keys)

    async def _bury(self, keys: Sequence[str]) -> None:
        if keys:
            await self._room.take(len(keys))
            self.tally.deleted += await self._commit(Change(accept=[self._factory.tombstone(key) for key in keys]))

    def _template_state(self) -> Mapping[str, JSON]:
        """Return what templates of the request see."""
        cursor = self._incoming.cursor
        if cursor is None:
            return {}
        reached = None if self._whole else self._cursor.position.value
        return {"cursor": cursor.start if reached is None else step_back(reached, cursor.overlap)}


def _intake_spec(runtime: Runtime, route: str, settings: Route) -> RouteSpec | None:
    """Return the implied route that takes documents first; None unless the incoming chain makes calls."""
    if not incoming_chain(runtime, settings.incoming).calls:
        return None
    intake = route_spec(runtime, route + INCOMING)
    if intake.gathers and settings.deletions == "tombstone":
        raise ConfigurationError(
            f"route {route!r} wants deletions, and the chain of incoming {settings.incoming!r} calls and gathers, so"
            " nobody can tell what became of a document; gather in the route's chain, or say deletions: ignore"
        )
    return intake


def _check_deletions(name: str, route: Route, incoming: Incoming) -> None:
    if incoming.mode != "full":
        raise ConfigurationError(
            f"route {name!r} wants deletions, and incoming {route.incoming!r} reads what is new alone; "
            "say mode: full there, or deletions: ignore here"
        )
    if route.key is None and incoming.subscriber.prototype != "openai":
        raise ConfigurationError(
            f"route {name!r} wants deletions, and nothing says what its documents are known by; say key: there"
        )


def _find(runtime: Runtime, section: str, name: str) -> Any:
    found: Any = runtime.configuration.find(section, name)
    if found.disabled:
        raise ConfigurationError(f"{section.removesuffix('s')} {name!r} is disabled")
    return found
