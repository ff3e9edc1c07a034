"""An API on loopback that answers at once: chat completions, a list of files, and uploads that are counted and dropped.

python -m bench.server [CORE]    prints its port, and ends with its standard input
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time

from bench.exchange import ANSWER, pages
from bench.machine import pin

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_AFTER = re.compile(rb"[?&]after=([\w-]+)")
_UPLOADED = (
    b'{"id":"file-1","object":"file","bytes":%d,"created_at":1,"filename":"f","purpose":"batch","status":"processed"}'
)
_HEAD = (
    b"HTTP/1.1 %s\r\ndate: Sat, 01 Aug 2026 00:00:00 GMT\r\ncontent-type: application/json\r\ncontent-length: %d\r\n"
    b"connection: keep-alive\r\nopenai-organization: org\r\nopenai-processing-ms: 1\r\nopenai-version: 2020-10-01\r\n"
    b"x-ratelimit-limit-requests: 30000\r\nx-ratelimit-limit-tokens: 150000000\r\n"
    b"x-ratelimit-remaining-requests: 29999\r\nx-ratelimit-remaining-tokens: 149999000\r\n"
    b"x-ratelimit-reset-requests: 2ms\r\nx-ratelimit-reset-tokens: 0s\r\nx-request-id: req_0000000000000000\r\n\r\n"
)


def answer(body: bytes, status: bytes = b"200 OK") -> bytes:
    """A whole response, made once and sent as often as it is asked for."""
    return _HEAD % (status, len(body)) + body


class Connection(asyncio.Protocol):
    """One kept-alive connection; a body is counted and dropped whatever its size."""

    chat = answer(ANSWER)
    files: dict[bytes, bytes] = {}  # noqa: RUF012 - filled once, before the first connection

    def __init__(self) -> None:
        self._rest = b""
        self._head = b""
        self._length = self._left = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        data = self._rest + data if self._rest else data
        start = 0
        while True:
            if self._left:
                taken = min(self._left, len(data) - start)
                self._left -= taken
                start += taken
                if self._left:
                    break
                self._transport.write(self._answer())
            elif (end := data.find(b"\r\n\r\n", start)) >= 0:
                self._begin(data[start:end])
                start = end + 4
                if not self._left:
                    self._transport.write(self._answer())
            else:
                break
        self._rest = data[start:]

    def _begin(self, head: bytes) -> None:
        self._head = head
        found = _LENGTH.search(head)
        self._length = self._left = int(found[1]) if found else 0

    def _answer(self) -> bytes:
        line = self._head[: self._head.find(b"\r")]
        if line.startswith(b"POST /v1/chat/completions "):
            return self.chat
        if line.startswith(b"GET /v1/files"):
            after = _AFTER.search(line)
            return self.files[after[1] if after else b""]
        if line.startswith(b"POST /v1/files "):
            return answer(_UPLOADED % self._length)
        if line.startswith(b"GET /usage "):
            return answer(json.dumps({"cpu": time.process_time()}).encode())
        return answer(b'{"error": {"message": "no such path"}}', b"404 Not Found")


async def serve() -> None:
    """Answer until whoever started this closes our standard input."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


def main() -> None:
    pin(int(sys.argv[1]) if len(sys.argv) > 1 else None)
    Connection.files = {after: answer(page) for after, page in pages().items()}
    asyncio.run(serve())


if __name__ == "__main__":
    main()
