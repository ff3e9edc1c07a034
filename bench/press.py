"""Load from a process of its own, light enough not to be the limit: how many requests, and how long each took.

python -m bench.press PORT PATH TOKEN CONNECTIONS SECONDS CORE|- [HEADER …]    prints one line of JSON
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from statistics import median

from bench.exchange import payload
from bench.machine import pin

__all__: list[str] = []

DIFFERENT = 64
"""Requests that differ; enough that nobody gains by remembering the last one."""
WARM_UP = 1
LONGEST = 60.0


class Connection(asyncio.Protocol):
    """Sends a request when the answer to the one before has come."""

    def __init__(self, requests: list[bytes]) -> None:
        self.seconds: list[float] = []
        self._requests = requests
        self._until = 0.0
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._number = 0
        self._rest = b""
        self._began = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def run(self, until: float) -> asyncio.Future[None]:
        """Sends until a time; done when the last answer has come."""
        self._until = until
        self._done = asyncio.get_running_loop().create_future()
        self._send()
        return self._done

    def data_received(self, data: bytes) -> None:
        data = self._rest + data if self._rest else data
        end = data.find(b"\r\n\r\n")
        if end < 0 or len(data) < end + 4 + _length(data, end):
            self._rest = data
            return
        self._rest = b""
        now = time.perf_counter()
        if not data.startswith(b"HTTP/1.1 200"):
            self._fail(f"the answer is {data[:300]!r}")
            return
        self.seconds.append(now - self._began)
        if now < self._until:
            self._send()
        elif not self._done.done():
            self._done.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio's signature
        self._fail("the connection was closed")

    def _fail(self, reason: str) -> None:
        if not self._done.done():
            self._done.set_exception(RuntimeError(reason))

    def _send(self) -> None:
        self._number += 1
        self._began = time.perf_counter()
        self._transport.write(self._requests[self._number % DIFFERENT])


def _length(data: bytes, end: int) -> int:
    head = data[:end].lower()
    found = head.find(b"content-length:")
    if found < 0:
        raise RuntimeError(f"an answer without a length: {head[:300]!r}")
    return int(head[found + 15 :].partition(b"\r\n")[0])


async def _main(port: int, path: str, token: str, number: int, seconds: float, more: list[str]) -> None:
    loop = asyncio.get_running_loop()
    lines = "".join(f"{each}\r\n" for each in more)
    requests = [_request(port, path, token, each, lines) for each in range(DIFFERENT)]
    connections: list[Connection] = []
    for _ in range(number):
        _, made = await loop.create_connection(lambda: Connection(requests), "127.0.0.1", port)
        connections.append(made)
    for _ in range(WARM_UP):
        await _run(connections, 0.0)
    for each in connections:
        each.seconds.clear()
    began = time.perf_counter()
    await _run(connections, began + seconds)
    took = time.perf_counter() - began
    times = sorted(second for each in connections for second in each.seconds)
    asked = len(times) + WARM_UP * number
    found = {
        "done": len(times),
        "asked": asked,
        "seconds": took,
        "p50": median(times),
        "p99": times[int(len(times) * 0.99)],
    }
    print(json.dumps(found))


async def _run(connections: list[Connection], until: float) -> None:
    async with asyncio.timeout(LONGEST):
        await asyncio.gather(*(each.run(until) for each in connections))


def _request(port: int, path: str, token: str, number: int, lines: str) -> bytes:
    body = json.dumps(payload(number)).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nAccept: application/json\r\nContent-Length: {len(body)}\r\n{lines}\r\n"
    )
    return head.encode() + body


if __name__ == "__main__":
    to, where, key, connections, lasting, core, *others = sys.argv[1:]
    pin(None if core == "-" else int(core))
    try:
        asyncio.run(_main(int(to), where, key, int(connections), float(lasting), others))
    except (RuntimeError, OSError, TimeoutError) as error:
        sys.exit(f"{type(error).__name__}: {error}")
