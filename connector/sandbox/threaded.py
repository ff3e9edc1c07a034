"""A sandbox for code that has no event loop: it runs in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator
from concurrent.futures import Future
from contextlib import contextmanager

from connector.sandbox.sandbox import Sandbox

__all__ = ["in_thread"]


@contextmanager
def in_thread(sandbox: Sandbox) -> Generator[Sandbox]:
    """Runs a sandbox as long as the block; from outside it is read (`url`, `requests`) and told things over HTTP."""
    started: Future[asyncio.Event] = Future()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=_run, args=(loop, sandbox, started), name="sandbox", daemon=True)
    thread.start()
    try:
        stop = started.result()
        try:
            yield sandbox
        finally:
            loop.call_soon_threadsafe(stop.set)
    finally:
        thread.join()


def _run(loop: asyncio.AbstractEventLoop, sandbox: Sandbox, started: Future[asyncio.Event]) -> None:
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(_serve(sandbox, started))


async def _serve(sandbox: Sandbox, started: Future[asyncio.Event]) -> None:
    stop = asyncio.Event()
    try:
        async with sandbox:
            started.set_result(stop)
            await stop.wait()
    except BaseException as error:  # whoever waits for the start has to hear why there was none
        if not started.done():
            started.set_exception(error)
            return
        raise
