"""The server on a pipe: one client, which started this process; a message a line."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import BinaryIO

from connector.hosts.mcp.exchange import Exchange, Session
from connector.hosts.mcp.protocol import (
    INVALID_REQUEST,
    MODERN_VERSIONS,
    UNSUPPORTED_VERSION,
    Message,
    RequestId,
    RpcError,
    dump,
    error_message,
    key_of,
    parse_message,
    result_message,
)
from connector.hosts.mcp.server import Access, McpServer
from connector.model import JSON

__all__ = ["PipeServer", "claim_pipe", "read_lines"]

LONGEST_LINE = 64 * 1024 * 1024


@dataclass(slots=True)
class PipeServer:
    """Serves the client at the other end of a pipe.

    Args:
        server: answers requests.
        write: writes a line to the client.
    """

    server: McpServer
    write: Callable[[bytes], None]
    session: Session = field(default_factory=lambda: Session(token_urlsafe(16)))
    access: Access = field(default_factory=Access)
    listed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the client knows the tools: what they need can be opened from then on."""
    _tasks: set[asyncio.Task[None]] = field(default_factory=set["asyncio.Task[None]"])
    _under_way: dict[RequestId, asyncio.Task[None]] = field(default_factory=dict[RequestId, "asyncio.Task[None]"])

    def take(self, line: bytes) -> None:
        """Take a line of the client; its answer comes when it comes."""
        try:
            message = parse_message(line)
        except RpcError as error:
            self._send(error_message(None, error))
            return
        if message.kind == "notification":
            self._take_notification(message)
        elif message.kind == "request" and message.id is not None:
            if message.id in self._under_way:
                twice = RpcError(INVALID_REQUEST, "a request of this id is under way")
                self._send(error_message(message.id, twice))
                return
            task = self._under_way[message.id] = asyncio.create_task(self._answer(message, message.id))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def finish(self, grace: float) -> None:
        """Wait for what is under way, and cancel what takes longer."""
        tasks = list(self._tasks)
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _take_notification(self, message: Message) -> None:
        task = self._under_way.get(message.params.get("requestId", ""))  # any value that no request has is ignored
        if message.method == "notifications/cancelled" and task is not None:
            task.cancel()

    async def _answer(self, message: Message, number: RequestId) -> None:
        try:
            exchange = self._exchange(message, number)
            self._send(result_message(number, await self.server.answer(message, exchange, self.access)))
            self._under_way.pop(number, None)
            await exchange.told()
        except RpcError as error:
            self._send(error_message(number, error))
        except asyncio.CancelledError:
            pass  # a request that was cancelled has no answer
        finally:
            if self._under_way.get(number) is asyncio.current_task():
                del self._under_way[number]
            if message.method.startswith("tools/"):
                self.listed.set()

    def _exchange(self, message: Message, number: RequestId) -> Exchange:
        version = message.modern_version
        if version is not None and version not in MODERN_VERSIONS:
            data: JSON = {"supported": [*MODERN_VERSIONS], "requested": version}
            raise RpcError(UNSUPPORTED_VERSION, "this version of the protocol is not spoken here", data)
        return Exchange(
            session=self.session,
            id=number,
            send=self._send,
            key=key_of(message),
            token=message.meta.get("progressToken"),
            is_modern=version is not None,
        )

    def _send(self, message: JSON) -> None:
        self.write(dump(message) + b"\n")


def claim_pipe() -> tuple[BinaryIO, Callable[[bytes], None]]:
    """Return what the client sends and how it is written to; whatever else is printed goes to standard error."""
    output = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    lock = threading.Lock()

    def write(line: bytes) -> None:
        with lock:
            left = memoryview(line)
            while left:
                left = left[os.write(output, left) :]

    return sys.stdin.buffer, write


def read_lines(source: BinaryIO, take: Callable[[bytes], None], on_end: Callable[[], None]) -> None:
    """Read lines in a thread of its own, since a pipe may keep one waiting for ever, and give them to the loop."""
    loop = asyncio.get_running_loop()

    def read() -> None:
        try:
            while line := source.readline(LONGEST_LINE):
                if line.strip():
                    loop.call_soon_threadsafe(take, line)
        except (OSError, ValueError):
            pass  # the pipe is gone, as at its end
        finally:
            with suppress(RuntimeError):  # the loop has ended before
                loop.call_soon_threadsafe(on_end)

    threading.Thread(target=read, daemon=True, name="mcp-stdin").start()
