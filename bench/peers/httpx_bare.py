"""Bare httpx over httpx-aiohttp: the least work there can be on the network library we stand on."""

from __future__ import annotations

import httpx
from httpx_aiohttp import AiohttpTransport

from bench.load import Load
from bench.peers.by_hand import HEADERS, PATIENCE, drive, list_files, send_file
from bench.watch import Watch

PACKAGES = ("httpx", "httpx-aiohttp", "aiohttp", "orjson")


def _client(base: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=AiohttpTransport(), base_url=base, headers=HEADERS, timeout=PATIENCE)


async def calls(base: str, load: Load) -> int:
    async with _client(base) as client:
        return await drive(client, load)


async def listing(base: str, watch: Watch) -> int:
    async with _client(base) as client:
        return await list_files(client, watch)


async def upload(base: str, path: str, watch: Watch) -> int:
    async with _client(base) as client:
        return await send_file(client, path, watch)
