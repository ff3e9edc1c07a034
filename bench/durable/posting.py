"""One call as those make it who know nothing of us: aiohttp, JSON both ways."""

from __future__ import annotations

from typing import Any

import aiohttp

from bench.exchange import TEXT, TOKEN

__all__ = ["post", "session"]


def session(in_flight: int) -> aiohttp.ClientSession:
    """A session with as many connections as are wanted."""
    headers = {"authorization": f"Bearer {TOKEN}"}
    return aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(limit=in_flight))


async def post(calls: aiohttp.ClientSession, base: str, request: dict[str, Any]) -> str:
    """The text of the answer, which must be the one that was sent."""
    async with calls.post(f"{base}/chat/completions", json=request) as response:
        response.raise_for_status()
        text: str = (await response.json())["choices"][0]["message"]["content"]
    if text != TEXT:
        raise ValueError("not the answer that was sent")
    return text
