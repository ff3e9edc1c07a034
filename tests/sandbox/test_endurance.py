"""Ten thousand calls leave nothing behind but what was asked to be kept."""

from __future__ import annotations

import asyncio
import gc
import json
import resource
import sys
from pathlib import Path
from typing import Any

import pytest

from connector.catalogue import Catalogue
from connector.sandbox import Sandbox

pytestmark = pytest.mark.long

CALLS, TOGETHER = 10_000, 20
CHAT = {"model": "gpt-4.1", "messages": [{"role": "user", "content": "hello " * 20}]}
DESCRIPTORS = Path("/proc/self/fd")


async def _calls(origin: str, number: int) -> None:
    """Calls on a connection of their own, several under way at once."""
    host, port = origin.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    body = json.dumps(CHAT).encode()
    head = "POST /v1/chat/completions HTTP/1.1\r\nHost: sandbox\r\nAuthorization: Bearer any\r\n"
    request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    for _ in range(number // TOGETHER):
        writer.write(request * TOGETHER)
        for _ in range(TOGETHER):
            answer = await reader.readuntil(b"\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 200")
            length = answer.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length))
    writer.close()
    await writer.wait_closed()


@pytest.mark.skipif(not DESCRIPTORS.is_dir(), reason="descriptors are counted in /proc")
async def test_ten_thousand_calls_leave_no_descriptor_and_little_memory(catalogue: Catalogue) -> None:
    gc.collect()
    before = _open()
    async with Sandbox(catalogue=catalogue) as sandbox:
        await _calls(sandbox.origin, CALLS // 5)
        grown = _peak()
        await asyncio.gather(*(_calls(sandbox.origin, CALLS // 5) for _ in range(4)))
        assert len(sandbox.request_log) == CALLS
        assert _peak() - grown < 64
        await _refused(sandbox)
    gc.collect()
    assert _open() <= before  # what an earlier test left open may be gone meanwhile


async def _refused(sandbox: Sandbox) -> None:
    """Connections that are reset by a fault are gone as well."""
    sandbox.faults.replace(["reset:1"])
    for _ in range(20):
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await _calls(sandbox.origin, TOGETHER)


def _open() -> int:
    return len(list(DESCRIPTORS.iterdir()))


def _peak() -> float:
    """The most memory that this process has ever had, in MB."""
    unit: Any = 1024 if sys.platform == "linux" else 1024 * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
