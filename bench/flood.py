"""Load from a process of its own: one request over and over on some connections, and how many answers came."""

from __future__ import annotations

import asyncio
import json
import sys
import time

from bench.machine import pin

__all__: list[str] = []


async def _main(port: int, connections: int, seconds: float) -> None:
    payload = {"model": "gpt-4.1", "messages": [{"role": "user", "content": "Say hello to a thousand people. " * 8}]}
    body = json.dumps(payload).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer bench\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    until = time.perf_counter() + seconds
    began = time.perf_counter()
    done = await asyncio.gather(*(_calls(port, head.encode() + body, until) for _ in range(connections)))
    print(json.dumps({"done": sum(done), "seconds": time.perf_counter() - began}))


async def _calls(port: int, request: bytes, until: float) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    done = 0
    while time.perf_counter() < until:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            sys.exit(f"bench: the sandbox answered {head[:60]!r}")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        done += 1
    writer.close()
    await writer.wait_closed()
    return done


if __name__ == "__main__":
    pin(int(sys.argv[4]) if len(sys.argv) > 4 else None)
    asyncio.run(_main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
