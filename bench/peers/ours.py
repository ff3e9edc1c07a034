"""openai-connector: a publisher and a subscriber as anybody uses them, every request validated."""

from __future__ import annotations

from pathlib import Path

from bench.exchange import TOKEN, payload
from bench.load import Load
from bench.watch import Watch
from connector import Client, Publisher, Subscriber

PACKAGES = ("aiohttp", "httpx", "jsonschema-rs", "orjson")


async def calls(base: str, load: Load) -> int:
    async with Client("openai", token=TOKEN, base_uri=base) as client:
        publisher = Publisher(client, "chat completions", "create")

        async def call(number: int) -> str:
            outcome = await publisher.publish({"payload": payload(number)})
            return str(outcome.require()["choices"][0]["message"]["content"])

        return await load.drive(call)


async def listing(base: str, watch: Watch) -> int:
    count = 0
    async with Client("openai", token=TOKEN, base_uri=base) as client:
        with watch:
            async for _ in Subscriber(client, "files").read():
                count += 1
    return count


async def upload(base: str, path: str, watch: Watch) -> int:
    async with Client("openai", token=TOKEN, base_uri=base, file_roots=[str(Path(path).parent)]) as client:
        with watch:
            asked = {"payload": {"purpose": "batch", "file": {"$file": path}}}
            outcome = await Publisher(client, "files").publish(asked)
        return int(outcome.require()["bytes"])
