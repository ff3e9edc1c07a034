"""The calls of a host's process over an engine: their leases are renewed, and old ones are forgotten."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from connector.aio.tasks import cancel_all
from connector.calls.host_calls import HostCalls, forget_answers
from connector.delivery.context import DeliveryContext
from connector.engine import Store, StoreError, TaskState
from connector.pipeline import Runtime
from connector.runtime.housekeeping import RetentionPurger, send_heartbeats
from connector.telemetry.otlp import make_observer

__all__ = ["open_calls"]

HOURLY = 3600.0

log = logging.getLogger(__name__)


@asynccontextmanager
async def open_calls(
    runtime: Runtime, store: Store, prefix: str | None, *, wait: float, equal: float = 0.0, is_patient: bool = True
) -> AsyncGenerator[HostCalls]:
    """Make calls over a store.

    Args:
        prefix: the beginning of the names of the host's routes, whose old calls are forgotten; none are for None.
        wait: seconds for which the host is kept waiting at most.
        equal: seconds in which an equal call without a key is a repeat.
        is_patient: whether a call is attempted again here while its host waits; else its host asks again.
    """
    configuration = runtime.configuration
    observer = make_observer(configuration.telemetry, configuration.currency, runtime.redact)
    shared = DeliveryContext(runtime, store, observer=observer)
    calls = HostCalls(shared, wait=wait, equal=equal, is_patient=is_patient)
    loops = [asyncio.create_task(_keep_alive(calls, store))]
    if prefix is not None:
        loops.append(asyncio.create_task(_purge(shared, prefix)))
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
