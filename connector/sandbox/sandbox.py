"""A whole sandbox: built, started, stopped, in this event loop or in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Self

import apsw

from connector.catalogue import Catalogue
from connector.errors import ConfigurationError
from connector.model import JSON
from connector.sandbox.backend import Backend, Options
from connector.sandbox.bill.terms import Terms
from connector.sandbox.fault_plan import FaultPlan
from connector.sandbox.http.app import App
from connector.sandbox.http.dispatcher import Dispatcher
from connector.sandbox.http.request_log import RequestLog
from connector.sandbox.http.server import HttpServer
from connector.sandbox.object_store import ObjectStore
from connector.sandbox.registry import HANDLERS, TIMER_HANDLERS
from connector.sandbox.script import Script, load_script

__all__ = ["Sandbox", "in_thread"]


class Sandbox:
    """An API on this machine: `async with Sandbox(seed=1) as sandbox: … sandbox.url`.

    Args:
        seed: the same seed and the same requests give the same answers and faults.
        lenient: unknown ids are answered with objects of the right shape.
        latency: milliseconds that every answer takes longer.
        pace: seconds that an object spends in each of its states.
        faults: faults by rate, such as `429:0.05`.
        script: scripted `answers` and `faults`: a file, or its document.
        state: a file that outlives the sandbox; without it everything is in memory.
        webhook, webhook_secret: where webhooks are sent, and what they are signed with.
        removed: operations that the API has removed are answered as they were.
        today: the day on which models live or are shut down; today unless given.
        billing: how usage comes into the reports: `late:3600`, `random:600`, `round:2`, `fresh`.
        port: the port to listen on; 0 picks one.
        catalogue, clock: in place of those that ship with the connector and the machine.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        lenient: bool = False,
        latency: float = 0.0,
        pace: float = 1.0,
        faults: Sequence[str] = (),
        script: Path | JSON = None,
        state: Path | None = None,
        webhook: str | None = None,
        webhook_secret: str | None = None,
        removed: bool = False,
        today: date | None = None,
        billing: Sequence[str] = (),
        port: int = 0,
        catalogue: Catalogue | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Build the sandbox; nothing listens yet."""
        options = Options(
            seed=seed,
            lenient=lenient,
            latency=latency,
            pace=pace,
            webhook=webhook,
            webhook_secret=webhook_secret,
            removed=removed,
            today=today,
            billing=Terms.parse(billing),
        )
        answers, rules = load_script(script)
        plan = FaultPlan(seed, faults, rules)
        self._objects = _open_store(state)
        catalogue = catalogue or Catalogue.open()
        dispatcher = Dispatcher(catalogue, HANDLERS)
        self.backend = _build_backend(catalogue, self._objects, options, clock, answers, dispatcher)
        self._app = App(self.backend, dispatcher, plan)
        self._server = HttpServer(self._app, port)
        self._port = 0

    @property
    def url(self) -> str:
        """The URL of the API; the base URL of clients."""
        return f"{self.origin}/v1"

    @property
    def origin(self) -> str:
        """The URL of the sandbox; its own paths begin with `/sandbox/` here."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def requests(self) -> list[dict[str, JSON]]:
        """The requests that arrived, oldest first."""
        return list(self.request_log)

    @property
    def request_log(self) -> RequestLog:
        """The log of the requests that arrived."""
        return self._app.request_log

    @property
    def faults(self) -> FaultPlan:
        """The planned faults; may be changed at any time."""
        return self._app.faults

    @property
    def webhook_secret(self) -> str:
        """The secret that webhooks are signed with."""
        return self.backend.webhooks.secret

    def reset(self) -> None:
        """Delete everything, and begin again as if just started."""
        self._app.reset()

    async def start(self) -> None:
        """Start the server and the timers."""
        self._port = await self._server.start()
        self.backend.start()

    async def stop(self) -> None:
        """Stop the server and the timers, and close the store."""
        await self._server.stop()
        await self.backend.close()
        self._objects.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


@contextmanager
def in_thread(sandbox: Sandbox) -> Generator[Sandbox]:
    """Run a sandbox in a thread of its own within the block; call it over HTTP, and read `url` and `requests`."""
    started: Future[asyncio.Event] = Future()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=_run_loop, args=(loop, sandbox, started), name="sandbox", daemon=True)
    thread.start()
    try:
        stop = started.result()
        try:
            yield sandbox
        finally:
            loop.call_soon_threadsafe(stop.set)
    finally:
        thread.join()


def _run_loop(loop: asyncio.AbstractEventLoop, sandbox: Sandbox, started: Future[asyncio.Event]) -> None:
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(_serve_until_stopped(sandbox, started))


async def _serve_until_stopped(sandbox: Sandbox, started: Future[asyncio.Event]) -> None:
    stop = asyncio.Event()
    try:
        async with sandbox:
            started.set_result(stop)
            await stop.wait()
    except BaseException as error:  # the thread that waits for the start has to learn why there was none
        if not started.done():
            started.set_exception(error)
            return
        raise


def _build_backend(
    catalogue: Catalogue,
    objects: ObjectStore,
    options: Options,
    clock: Callable[[], float],
    script: Script,
    dispatcher: Dispatcher,
) -> Backend:
    handlers = TIMER_HANDLERS
    return Backend(
        catalogue, objects, options, clock, script=script, call_operation=dispatcher.call, timer_handlers=handlers
    )


def _open_store(state: Path | None) -> ObjectStore:
    try:
        return ObjectStore(":memory:" if state is None else str(state))
    except apsw.Error as error:
        raise ConfigurationError(f"--state: {state} cannot be used: {error}") from error
