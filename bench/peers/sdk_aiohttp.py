"""The official SDK, asynchronous, with the aiohttp client that it has as an extra."""

from __future__ import annotations

from openai import AsyncOpenAI, DefaultAioHttpClient

from bench.exchange import TOKEN, payload
from bench.load import Load

PACKAGES = ("openai", "httpx2", "aiohttp", "pydantic")


async def calls(base: str, load: Load) -> int:
    async with AsyncOpenAI(base_url=base, api_key=TOKEN, http_client=DefaultAioHttpClient()) as client:

        async def call(number: int) -> str | None:
            answer = await client.chat.completions.create(**payload(number))
            text: str | None = answer.choices[0].message.content
            return text

        return await load.drive(call)
