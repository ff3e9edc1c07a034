"""The least that a gateway on aiohttp can be: nobody is checked, nothing is counted, and no line is logged.

python -m bench.pass_through PORT UPSTREAM TOKEN
"""

from __future__ import annotations

import asyncio
import sys

from aiohttp import ClientSession, DummyCookieJar, TCPConnector, web

__all__: list[str] = []

FORWARDED = ("content-type", "accept")
RETURNED = ("content-type", "x-request-id")


class PassThrough:
    """Gives each request to upstream, with a token of its own, and the answer back as it comes."""

    def __init__(self, session: ClientSession, upstream: str, token: str) -> None:
        self._session = session
        self._upstream = upstream
        self._authorization = f"Bearer {token}"

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Return the answer of upstream."""
        headers = {name: request.headers[name] for name in FORWARDED if name in request.headers}
        headers["Authorization"] = self._authorization
        body = await request.read()
        url = f"{self._upstream}{request.path.removeprefix('/v1')}"
        async with self._session.request(request.method, url, data=body, headers=headers) as answer:
            returned = {name: answer.headers[name] for name in RETURNED if name in answer.headers}
            if answer.content_length is not None:
                return web.Response(status=answer.status, body=await answer.read(), headers=returned)
            response = web.StreamResponse(status=answer.status, headers=returned)
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
            await response.write_eof()
            return response


async def _main(port: int, upstream: str, token: str) -> None:
    connections = TCPConnector(limit=0)
    async with ClientSession(connector=connections, cookie_jar=DummyCookieJar(), auto_decompress=False) as session:
        server = web.Server(PassThrough(session, upstream, token).handle, access_log=None)
        listening = await asyncio.get_running_loop().create_server(server, "127.0.0.1", port, backlog=1024)
        await listening.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
