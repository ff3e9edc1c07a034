"""aiohttp alone, as fast as it is used: a session, JSON by orjson both ways, nothing checked."""

from __future__ import annotations

import aiohttp
import orjson

from bench.exchange import TOKEN, payload
from bench.load import Load

PACKAGES = ("aiohttp", "orjson")


async def calls(base: str, load: Load) -> int:
    headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
    url = f"{base}/chat/completions"
    async with aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(limit=0)) as session:

        async def call(number: int) -> str:
            async with session.post(url, data=orjson.dumps(payload(number))) as response:
                response.raise_for_status()
                return str(orjson.loads(await response.read())["choices"][0]["message"]["content"])

        return await load.drive(call)
