"""The official SDK under asyncio.gather and a semaphore, as many a script does it; nothing is left after a crash."""

from __future__ import annotations

import asyncio

from openai import AsyncOpenAI

from bench.durable.worker import Watch
from bench.exchange import TEXT, TOKEN, payload

PACKAGES = ("openai",)


async def deliver(base: str, place: str, tasks: int, in_flight: int, watch: Watch) -> int:
    del place
    places = asyncio.Semaphore(in_flight)
    async with AsyncOpenAI(base_url=base, api_key=TOKEN) as client:

        async def call(number: int) -> bool:
            async with places:
                answer = await client.chat.completions.create(**payload(number))
                return answer.choices[0].message.content == TEXT

        await call(0)
        with watch.running():
            return sum(await asyncio.gather(*map(call, range(tasks))))
