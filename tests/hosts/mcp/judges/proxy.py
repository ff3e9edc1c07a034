"""A proxy that adds a token to what passes, for judges that cannot send one; everything else passes as it is."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from aiohttp import web
from yarl import URL

__all__ = ["adding_token"]

HOP = {"connection", "transfer-encoding", "content-length", "keep-alive"}


@contextmanager
def adding_token(token: str, port: int, target: URL) -> Iterator[None]:
    """Listen on a port of this machine and pass everything to a target, with a token."""
    loop = asyncio.new_event_loop()
    ready, stop = threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with aiohttp.ClientSession(auto_decompress=False) as session:

            async def forward(request: web.Request) -> web.StreamResponse:
                headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP}
                url, body = target.with_path(request.path), await request.read()
                headers["Authorization"] = f"Bearer {token}"
                async with session.request(request.method, url, headers=headers, data=body or None) as answer:
                    kept = {name: value for name, value in answer.headers.items() if name.lower() not in HOP}
                    response = web.StreamResponse(status=answer.status, headers=kept)
                    await response.prepare(request)
                    async for chunk in answer.content.iter_any():
                        await response.write(chunk)
                    await response.write_eof()
                    return response

            application = web.Application()
            application.router.add_route("*", "/{path:.*}", forward)
            runner = web.AppRunner(application, access_log=None)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", port).start()
            ready.set()
            await stop.wait()
            await runner.cleanup()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(20)
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)
        loop.close()
