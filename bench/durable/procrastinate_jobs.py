"""procrastinate: each document a job, deferred in groups and worked off by one worker, on PostgreSQL."""

from __future__ import annotations

from typing import Any

import aiohttp
from procrastinate import App, PsycopgConnector

from bench.durable.posting import post, session
from bench.durable.worker import Watch
from bench.exchange import payload

PACKAGES = ("procrastinate", "aiohttp")
GROUP = 500


async def deliver(base: str, place: str, tasks: int, in_flight: int, watch: Watch) -> int:
    app = App(connector=PsycopgConnector(conninfo=place, max_size=20))
    done = 0
    calls: aiohttp.ClientSession

    @app.task
    async def ask(request: dict[str, Any]) -> None:
        nonlocal done
        await post(calls, base, request)
        done += 1

    async with app.open_async(), session(in_flight) as calls:
        await app.schema_manager.apply_schema_async()
        with watch.running():
            for first in range(0, tasks, GROUP):
                numbers = range(first, min(first + GROUP, tasks))
                await ask.batch_defer_async(*({"request": payload(number)} for number in numbers))
            await app.run_worker_async(wait=False, concurrency=in_flight, install_signal_handlers=False)
    return done
