"""Documents that other processes publish through an outgoing connection, each paid for once, over restarts too.

A call is on disk before it is acknowledged, in an engine of the studio's own where the tasks of routes are in a file,
which one process works on. It goes on when nobody waits any more, and the next process goes on with it after a kill.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from connector.aio.tasks import cancel_all
from connector.calls.host_calls import CallAnswer, CallConflict, HostCall, HostCalls
from connector.calls.routes import outgoing_route
from connector.calls.upkeep import open_calls
from connector.config import Configuration
from connector.delivery.attempt import RouteContext
from connector.engine import ENDS, Filter, Store, open_store
from connector.errors import ConnectorError
from connector.pipeline import Runtime

__all__ = ["PublishedCalls", "find_engine", "left_to_the_next"]

PREFIX = "publish/"
"""The beginning of the names of their routes: no route of a configuration has a slash in its name."""
SQLITE = "sqlite:///"
ATTEMPTS = 5
FOR_EVER = 10 * 365 * 86_400.0
"""A call is followed to its end, however long it has to wait in between."""

log = logging.getLogger(__name__)


def find_engine(url: str) -> str:
    """Return the URL of the engine of published calls: beside the file of a configuration's engine, or that engine."""
    return f"{url}.published" if url.startswith(SQLITE) else url


def left_to_the_next() -> bool:
    """Return that a call that is broken off is left to the next process."""
    return True


def _ignore(_: str) -> None:
    """Do nothing."""


@dataclass(slots=True)
class _Call:
    """A call that goes on in this process."""

    asked: HostCall
    running: asyncio.Task[CallAnswer]
    accepted: asyncio.Future[int]


@dataclass(slots=True)
class _Generation:
    """What one state of the configuration makes calls with."""

    configuration: Configuration
    calls: HostCalls
    routes: dict[str, RouteContext] = field(default_factory=dict[str, RouteContext])

    def route(self, outgoing: str) -> RouteContext:
        """Return the route of an outgoing connection, made when it is first used."""
        if outgoing not in self.routes:
            name = f"{PREFIX}{outgoing}"
            self.routes[outgoing] = outgoing_route(self.calls.shared, name, outgoing, ATTEMPTS)
        return self.routes[outgoing]


@dataclass(slots=True)
class PublishedCalls:
    """The calls of one studio; nothing is opened before the first one."""

    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _store: Store | None = None
    _now: _Generation | None = None
    _under_way: dict[tuple[str, str, str], _Call] = field(default_factory=dict[tuple[str, str, str], _Call])
    _resumed: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def publish(self, configuration: Configuration, outgoing: str, asked: HostCall, wait: float) -> CallAnswer:
        """Return what a call has come to after some seconds; it is on disk then, and goes on.

        Raises:
            CallConflict: its key was used for another document.
        """
        generation = await self._open(configuration)
        place = (asked.owner, outgoing, asked.key)
        call = self._under_way.get(place)
        if call is None:
            call = self._begin(generation, outgoing, asked)
        elif call.asked.document != asked.document:
            raise CallConflict(f"the key {asked.key!r} is used for another document, whose call is under way")
        await asyncio.wait((call.accepted, call.running), return_when=asyncio.FIRST_COMPLETED)
        if not call.accepted.done():
            return await call.running  # raises what kept it from being accepted
        await asyncio.wait((call.running,), timeout=max(wait, 0.0))
        return call.running.result() if call.running.done() else await generation.calls.read(call.accepted.result())

    async def read(self, configuration: Configuration, outgoing: str, task: int) -> CallAnswer | None:
        """Return how far a call has come; None when there is none of that number."""
        calls = (await self._open(configuration)).calls
        found = await calls.shared.store.task(task)
        return await calls.read(task) if found is not None and found.route == f"{PREFIX}{outgoing}" else None

    async def resume(self, configuration: Configuration) -> None:
        """Go on with what an earlier process accepted, if there is anything; what cannot go on is logged."""
        url = find_engine(configuration.engine_url)
        if url.startswith(SQLITE) and not await asyncio.to_thread(Path(url.removeprefix(SQLITE)).is_file):
            return
        try:
            generation = await self._open(configuration)
            left = [task for name in configuration.outgoing for task in await self._live(f"{PREFIX}{name}")]
            for number, outgoing in left:
                going_on = asyncio.create_task(self._go_on(generation, number, outgoing))
                self._resumed.add(going_on)
                going_on.add_done_callback(self._resumed.discard)
        except ConnectorError as error:
            log.warning("published calls of an earlier process do not go on: %s", error)

    async def close(self) -> None:
        """Stop; what is under way goes on with the next process."""
        await cancel_all(*(call.running for call in self._under_way.values()), *self._resumed)
        await self._stack.aclose()

    async def _live(self, route: str) -> list[tuple[int, str]]:
        assert self._store is not None  # noqa: S101  it was opened
        found = await self._store.tasks(Filter(route=route), limit=100_000)
        return [(task.id, route.removeprefix(PREFIX)) for task in found if task.state not in ENDS]

    async def _go_on(self, generation: _Generation, number: int, outgoing: str) -> None:
        try:
            task = await generation.calls.shared.store.task(number)
            if task is not None:
                owner, _, key = task.key.partition("/")
                asked = HostCall(document=task.document, key=key, owner=owner, is_left=left_to_the_next)
                await generation.calls.resume(generation.route(outgoing), task, asked)
        except ConnectorError as error:
            log.warning("a published call (task %d) does not go on: %s", number, error)

    def _begin(self, generation: _Generation, outgoing: str, asked: HostCall) -> _Call:
        place = (asked.owner, outgoing, asked.key)
        accepted: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        route = generation.route(outgoing)
        running = asyncio.create_task(generation.calls.call(route, asked, _ignore, accepted.set_result))
        call = self._under_way[place] = _Call(asked, running, accepted)

        def end(_: object) -> None:
            del self._under_way[place]
            if not running.cancelled():
                running.exception()  # whoever waited was told

        running.add_done_callback(end)
        return call

    async def _open(self, configuration: Configuration) -> _Generation:
        """Return what calls are made with; a configuration that was edited makes new calls, and old ones go on."""
        async with self._lock:
            if self._store is None:
                self._store = await open_store(find_engine(configuration.engine_url))
                self._stack.push_async_callback(self._store.close)
            if self._now is None or self._now.configuration is not configuration:
                runtime = await self._stack.enter_async_context(Runtime(configuration))
                opened = open_calls(runtime, self._store, PREFIX, wait=FOR_EVER, equal=0.0)
                self._now = _Generation(configuration, await self._stack.enter_async_context(opened))
            return self._now
