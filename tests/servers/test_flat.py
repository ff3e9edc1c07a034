"""Ten thousand calls leave both servers as large as they were, and with nothing open."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest

from tests.servers.conftest import Server, gateway, sandbox

pytestmark = pytest.mark.long

WARM_UP, PART, PARTS = 1_000, 2_500, 4
AT_A_TIME = 16
MESSAGES = [{"role": "user", "content": "Is anybody there? " * 20}]
MOST_GROWTH = 8 * 1024**2


def resident(pid: int) -> int:
    """Bytes of memory that a process has."""
    line = next(row for row in Path(f"/proc/{pid}/status").read_text().splitlines() if row.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


def descriptors(pid: int) -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


class Callers:
    """Calls of every kind, one after another on some connections."""

    def __init__(self, session: aiohttp.ClientSession, server: Server) -> None:
        self._session = session
        self._base = server.base_url
        self.kinds: list[Callable[[], Awaitable[None]]] = [
            *[self._chat] * 4, self._stream, self._left, self._refused, self._wrong, self._list, self._file,
        ]  # fmt: skip

    async def make(self, number: int) -> None:
        numbers = iter(range(number))

        async def caller() -> None:
            for each in numbers:
                await self.kinds[each % len(self.kinds)]()

        await asyncio.gather(*(caller() for _ in range(AT_A_TIME)))

    async def _asked(self, method: str, path: str, status: int, **told: object) -> bytes:
        async with self._session.request(method, self._base + path, **told) as answer:
            body = await answer.read()
            assert answer.status == status, body
            return body

    async def _chat(self) -> None:
        await self._asked("POST", "/chat/completions", 200, json={"model": "gpt-5", "messages": MESSAGES})

    async def _stream(self) -> None:
        asked = {"model": "gpt-5", "messages": MESSAGES, "stream": True}
        assert (await self._asked("POST", "/chat/completions", 200, json=asked)).endswith(b"data: [DONE]\n\n")

    async def _left(self) -> None:
        """A caller who goes away in the middle of a stream."""
        asked = {"model": "gpt-5", "messages": MESSAGES, "stream": True}
        async with self._session.post(f"{self._base}/chat/completions", json=asked) as answer:
            assert await answer.content.readany()
            answer.close()

    async def _refused(self) -> None:
        await self._asked("GET", "/files/file-of-nobody", 404)

    async def _wrong(self) -> None:
        await self._asked("POST", "/chat/completions", 400, json={"model": "gpt-5", "messages": "wrong"})

    async def _list(self) -> None:
        await self._asked("GET", "/models", 200)

    async def _file(self) -> None:
        """A stored object that is taken away again."""
        made = await self._asked("POST", "/conversations", 200, json={})
        found = made.partition(b'"id":"')[2].partition(b'"')[0].decode()
        await self._asked("DELETE", f"/conversations/{found}", 200)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="memory and descriptors are read from /proc")
async def test_ten_thousand_calls_leave_nothing_behind(tmp_path):
    with sandbox() as below, gateway(tmp_path, below.base_url) as above:
        found = await _sizes(below, above)
    (before, *_, after) = found
    for name in ("sandbox", "gateway"):
        grown = after[name][0] - before[name][0]
        assert grown < MOST_GROWTH, f"{name}: {grown / 1024:,.0f} kB more after {PART * PARTS:,} calls"
        opened = after[name][1] - before[name][1]
        assert opened <= AT_A_TIME, f"{name}: {opened} descriptors more"


async def _sizes(below: Server, above: Server) -> list[dict[str, tuple[int, int]]]:
    """Memory and descriptors of both, after some calls to warm up and after each part."""
    found = []
    for number in (WARM_UP, *[PART] * PARTS):
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {above.key}"}) as session:
            await Callers(session, above).make(number)
            journal = below.base_url.removesuffix("/v1") + "/sandbox/requests"
            async with session.delete(journal) as emptied:  # its bound is reached later: it would look like a leak
                assert emptied.status < 300
        found.append({each.name: (resident(each.pid), descriptors(each.pid)) for each in (below, above)})
    return found
