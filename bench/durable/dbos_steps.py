"""dbos: each document a workflow of one step, so many at a time, on PostgreSQL; quicker than through its queue."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import aiohttp
from dbos import DBOS, DBOSConfig

from bench.durable.posting import post, session
from bench.durable.worker import Watch
from bench.exchange import payload

PACKAGES = ("dbos", "aiohttp")


class _Calls:
    """What the step calls with; a step takes only what can be stored."""

    base = ""
    session: aiohttp.ClientSession


@DBOS.step()
async def ask(request: dict[str, Any]) -> str:
    return await post(_Calls.session, _Calls.base, request)


@DBOS.workflow()
async def delivered(request: dict[str, Any]) -> str:
    return await ask(request)


async def deliver(base: str, place: str, tasks: int, in_flight: int, watch: Watch) -> int:
    config: DBOSConfig = {"name": "bench", "system_database_url": place, "log_level": "ERROR"}
    DBOS(config=config)
    DBOS.launch()
    _Calls.base = base
    async with session(in_flight) as _Calls.session:
        await delivered(payload(0))
        numbers = iter(range(tasks))
        with watch.running():
            done = sum(await asyncio.gather(*(_keep_on(numbers) for _ in range(in_flight))))
    DBOS.destroy()
    return done


async def _keep_on(numbers: Iterator[int]) -> int:
    done = 0
    for number in numbers:
        await delivered(payload(number))
        done += 1
    return done
