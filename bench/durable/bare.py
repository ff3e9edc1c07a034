"""Our publisher in a loop, so many at a time: the same calls, and nothing is left of them after a crash."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from bench.durable.worker import Watch
from bench.exchange import TOKEN, payload
from connector import Client, Publisher

PACKAGES = ("aiohttp", "orjson")


async def deliver(base: str, place: str, tasks: int, in_flight: int, watch: Watch) -> int:
    del place
    async with Client("openai", token=TOKEN, base_uri=base) as client:
        publisher = Publisher(client, "chat completions", "create")
        await asyncio.gather(*(_keep_on(publisher, iter((number,))) for number in range(in_flight)))
        numbers = iter(range(tasks))
        with watch.running():
            return sum(await asyncio.gather(*(_keep_on(publisher, numbers) for _ in range(in_flight))))


async def _keep_on(publisher: Publisher, numbers: Iterator[int]) -> int:
    done = 0
    for number in numbers:
        (await publisher.publish({"payload": payload(number)})).require()
        done += 1
    return done
