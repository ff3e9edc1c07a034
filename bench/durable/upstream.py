"""The server of the bench, whose chat completions take their time, and who tells how many were asked for and when.

python -m bench.durable.upstream MILLISECONDS [CORE]    prints its port, and ends with its standard input
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

from bench.machine import pin
from bench.server import Connection, answer


class Late(Connection):
    """Answers after a while; `GET /asked` tells what came since it was last asked."""

    seconds = 0.0
    asked = 0
    first = 0.0

    def _answer(self) -> bytes:
        line = self._head[: self._head.find(b"\r")]
        if line.startswith(b"GET /asked "):
            told = answer(json.dumps({"asked": Late.asked, "first": Late.first}).encode())
            Late.asked, Late.first = 0, 0.0
            return told
        if not line.startswith(b"POST /v1/chat/completions "):
            return super()._answer()
        Late.asked += 1
        Late.first = Late.first or time.time()
        if not self.seconds:
            return self.chat
        asyncio.get_running_loop().call_later(self.seconds, self._send)
        return b""

    def _send(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(self.chat)


async def serve() -> None:
    """Answer until whoever started this closes our standard input."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Late, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


def main() -> None:
    Late.seconds = float(sys.argv[1]) / 1000
    pin(int(sys.argv[2]) if len(sys.argv) > 2 else None)
    asyncio.run(serve())


if __name__ == "__main__":
    main()
