"""Bodies of any size go through in flat memory, and answers that nobody reads wait upstream."""

from __future__ import annotations

import asyncio
import tracemalloc

from aiohttp import web

from tests.gateway.conftest import TOKEN

PIECE = b"x" * 65536
PIECES = 400
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}
MOST = 8 * 1024 * 1024
"""A third of what goes through, for everything in this process: caller, gateway and upstream."""


async def swallows(request: web.BaseRequest) -> web.StreamResponse:
    size = 0
    async for piece in request.content.iter_any():
        size += len(piece)
    return web.json_response({"bytes": size})


async def gives(request: web.BaseRequest) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    for _ in range(PIECES):
        await response.write(PIECE)
    return response


async def pieces():
    for _ in range(PIECES):
        yield PIECE


async def test_uploads(start, upstream):
    upstream.handler = swallows
    gateway = await start()
    await gateway.http.post(f"{gateway.url}/openai/v1/files", content=b"warm", headers=AUTHORIZED)
    tracemalloc.start()
    try:
        answer = await gateway.http.post(
            f"{gateway.url}/openai/v1/files",
            content=pieces(),
            headers={**AUTHORIZED, "Content-Type": "multipart/form-data; boundary=x"},
        )
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert answer.json() == {"bytes": PIECES * len(PIECE)}
    assert peak < MOST


async def test_downloads(start, upstream):
    upstream.handler = gives
    gateway = await start()
    size = 0
    tracemalloc.start()
    try:
        async with gateway.http.stream("GET", f"{gateway.url}/openai/v1/models", headers=AUTHORIZED) as answer:
            async for piece in answer.aiter_raw():
                size += len(piece)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert size == PIECES * len(PIECE)
    assert peak < MOST


async def test_an_answer_waits_for_its_reader(start, upstream):
    full = asyncio.Event()

    async def fills(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            for _ in range(10 * PIECES):
                async with asyncio.timeout(0.2):
                    await response.write(PIECE)
        except TimeoutError:  # nothing more fits into the buffers on the way
            full.set()
        request.transport.abort()
        return response

    upstream.handler = fills
    gateway = await start()
    async with gateway.http.stream("GET", f"{gateway.url}/openai/v1/models", headers=AUTHORIZED) as answer:
        reading = answer.aiter_raw()
        await anext(reading)
        async with asyncio.timeout(30):
            await full.wait()
