"""Where the calls of MCP clients are noted: the engine that the configuration names, else a file of the process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from connector.aio.tasks import cancel_all
from connector.delivery.context import DeliveryContext
from connector.engine import Store, StoreError, TaskState, open_store
from connector.hosts.calls import HostCalls, forget_answers
from connector.pipeline import Runtime
from connector.runtime.housekeeping import RetentionPurger, send_heartbeats
from connector.telemetry.otlp import make_observer

__all__ = ["PREFIX", "open_calls", "open_engine"]

PREFIX = "mcp/"
"""The beginning of the names of the routes of tools: no route of a configuration has a slash in its name."""
HOURLY = 3600.0

log = logging.getLogger(__name__)


@asynccontextmanager
async def open_engine(url: str | None) -> AsyncGenerator[Store]:
    """Open the engine of a URL, or one that is gone with the process."""
    if url is not None:
        store = await open_store(url)
        try:
            yield store
        finally:
            await store.close()
        return
    with TemporaryDirectory(prefix="openai-connector-mcp-") as folder:
        store = await open_store(f"sqlite:///{Path(folder) / 'calls.db'}", new=True)
        try:
            yield store
        finally:
            await store.close()


@asynccontextmanager
async def open_calls(runtime: Runtime, store: Store) -> AsyncGenerator[HostCalls]:
    """Make calls over a store: their leases are renewed, and old ones forgotten."""
    configuration = runtime.configuration
    observer = make_observer(configuration.telemetry, configuration.currency, runtime.redact)
    shared = DeliveryContext(runtime, store, observer=observer)
    settings = configuration.mcp
    calls = HostCalls(shared, wait=settings.wait, equal=settings.equal_within)
    loops = [
        asyncio.create_task(_keep_alive(calls, store)),
        asyncio.create_task(_purge(shared, PREFIX)),
    ]
    try:
        yield calls
    finally:
        await cancel_all(*loops)
        observer.close()


async def _purge(shared: DeliveryContext, prefix: str) -> None:
    """Forget old calls every hour, with what is kept beside them."""
    retention = shared.runtime.configuration.retention
    purger = RetentionPurger(retention, shared.store, shared.wall)
    kept = {
        TaskState.FINISHED: retention.finished,
        TaskState.FAILED: retention.failed,
        TaskState.SKIPPED: retention.skipped,
        TaskState.UNKNOWN: retention.unknown,
    }
    while True:
        await shared.timing.sleep(HOURLY)
        if not await shared.store.lead("retention of calls", HOURLY / 2):
            continue
        for route in [one for one in await shared.store.counts() if one.startswith(prefix)]:
            for state, seconds in kept.items():
                if seconds is not None:
                    await forget_answers(shared, route, state, shared.wall() - seconds)
        await purger.purge()


async def _keep_alive(calls: HostCalls, store: Store) -> None:
    """Renew leases for as long as the store can be reached; each call tells by itself when it cannot."""
    try:
        await send_heartbeats(calls.leases, calls.leases, store)
    except StoreError as error:
        log.warning("leases are not renewed any more: %s", error)
