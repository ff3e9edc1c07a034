"""The official SDK, asynchronous, as it comes."""

from __future__ import annotations

from pathlib import Path

from openai import AsyncOpenAI

from bench.exchange import TOKEN, payload
from bench.load import Load
from bench.watch import Watch

PACKAGES = ("openai", "httpx2", "pydantic")


async def calls(base: str, load: Load) -> int:
    async with AsyncOpenAI(base_url=base, api_key=TOKEN) as client:

        async def call(number: int) -> str | None:
            answer = await client.chat.completions.create(**payload(number))
            text: str | None = answer.choices[0].message.content
            return text

        return await load.drive(call)


async def listing(base: str, watch: Watch) -> int:
    count = 0
    async with AsyncOpenAI(base_url=base, api_key=TOKEN) as client:
        with watch:
            async for _ in client.files.list():
                count += 1
    return count


async def upload(base: str, path: str, watch: Watch) -> int:
    async with AsyncOpenAI(base_url=base, api_key=TOKEN) as client:
        with watch, Path(path).open("rb") as file:  # noqa: ASYNC230 - as its manual does it
            answer = await client.files.create(file=file, purpose="batch")
        return answer.bytes
