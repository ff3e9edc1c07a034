"""Over real sockets: what is on disk when the first byte arrives, and what becomes of connections that break."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from connector.engine import CallRecord, TaskState

OK = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{"id":"c"}'
HTML = OK.replace(b"application/json", b"text/html").replace(b'{"id":"c"}', b"<p>hi</p>.")


@pytest.fixture
async def listening() -> AsyncIterator[Callable[..., Awaitable[str]]]:
    """Starts a server on loopback that answers each request with bytes, and then closes."""
    async with AsyncExitStack() as stack:

        async def start(answer: bytes, arrived: Callable[[], Awaitable[None]]) -> str:
            async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await reader.read(1)
                await arrived()
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
                await reader.readexactly(int(length.partition(b":")[2]))
                writer.write(answer)
                await writer.drain()
                writer.close()
                await writer.wait_closed()

            server = await stack.enter_async_context(await asyncio.start_server(connected, "127.0.0.1", 0))
            return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"

        yield start


@pytest.mark.parametrize(
    ("answer", "state", "reached"),
    [
        (OK, TaskState.FINISHED, "done"),
        (b"", TaskState.UNKNOWN, "unknown"),
        (OK[:-4], TaskState.UNKNOWN, "unknown"),
        (
            OK.replace(b"application/json", b"text/html").replace(b'{"id":"c"}', b"<p>hi</p>."),
            TaskState.UNKNOWN,
            "unknown",
        ),
        (b"HTTP/1.1 400 No\r\ncontent-length: 0\r\n\r\n", TaskState.FAILED, "refused"),
    ],
)
async def test_an_intent_is_on_disk_when_the_first_byte_arrives(
    bench: Any, listening: Any, answer: bytes, state: TaskState, reached: str
) -> None:
    seen: list[CallRecord] = []

    async def arrived() -> None:
        seen.extend((await at.task(1)).calls)

    at = await bench(base=await listening(answer, arrived))
    await at.accept({"text": "a"})
    await at.until_ended()
    task = await at.task(1)
    assert [call.open for call in seen] == [True]
    assert (task.state, [call.state for call in task.calls]) == (state, [reached])
    await at.runtime.client("openai").close()


async def test_nobody_listens_and_no_task_is_to_blame(bench: Any) -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    at = await bench(base=f"http://127.0.0.1:{port}/v1")
    [number] = await at.accept({"text": "a"})
    await at.work()
    task = await at.task(number)
    assert (task.state, task.attempts, task.calls[0].state) == (TaskState.WAITING, 0, "not_sent")
    await at.runtime.client("openai").close()
