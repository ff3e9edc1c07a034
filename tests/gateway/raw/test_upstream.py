"""Upstreams that answer nonsense, die, or say more than they were asked: byte by byte."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field

import httpx
import pytest

from tests.gateway.conftest import TOKEN

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
WHOLE = OK + b"Content-Length: 2\r\n\r\n{}"


@dataclass
class Scripted:
    """A server that says for each connection, in turn, what it was told to; None: it hangs up without a word."""

    answers: list[bytes | None]
    keep: bool = False
    port: int = 0
    heads: list[bytes] = field(default_factory=list)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.heads.append(head)
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or b"0")
                await reader.readexactly(length)
                if answer is None:
                    break
                writer.write(answer)
                await writer.drain()
                if not self.keep:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            self.left.set()
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


Serve = Callable[..., Awaitable[Scripted]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    async with AsyncExitStack() as stack:

        async def started(*answers: bytes | None, keep: bool = False) -> Scripted:
            scripted = Scripted(list(answers), keep)
            server = await stack.enter_async_context(await asyncio.start_server(scripted, "127.0.0.1", 0))
            scripted.port = server.sockets[0].getsockname()[1]
            return scripted

        yield started


@pytest.fixture
def through(start, serve):
    """A gateway in front of a server with a script."""

    async def made(*answers: bytes | None, **told):
        scripted = await serve(*answers, **told)
        return await start(parameters={"base_uri": f"http://127.0.0.1:{scripted.port}/v1"}), scripted

    return made


SPLITTING = {
    "a bare LF": OK + b"X-A: a\nSet-Cookie: evil=1\r\nContent-Length: 2\r\n\r\n{}",
    "a bare CR": OK + b"X-A: a\rSet-Cookie: evil=1\r\nContent-Length: 2\r\n\r\n{}",
    "a folded header": OK + b"X-A: a\r\n Set-Cookie: evil=1\r\nContent-Length: 2\r\n\r\n{}",
    "NUL": OK + b"X-A: a\0b\r\nContent-Length: 2\r\n\r\n{}",
    "a space before the colon": OK + b"Set-Cookie : evil=1\r\nContent-Length: 2\r\n\r\n{}",
    "two lengths": OK + b"Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}",
    "both lengths": OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "a chunk that is none": OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "no status": b"HTTP/1.1\r\n\r\n",
    "another protocol": b"SSH-2.0-OpenSSH\r\n\r\n",
    "a line without end": OK + b"X: " + b"a" * 100_000,
    "headers without end": OK + b"".join(b"X-%d: %s\r\n" % (n, b"a" * 1000) for n in range(500)),
}


@pytest.mark.parametrize("case", SPLITTING)
async def test_answers_that_can_be_misread_put_nothing_into_ours(through, case):
    gateway, _ = await through(SPLITTING[case])
    head = f"POST /openai/v1/responses HTTP/1.1\r\nHost: localhost:{gateway.port}\r\nAuthorization: Bearer {TOKEN}\r\n"
    answer = await gateway.raw(f"{head}Content-Length: 2\r\nConnection: close\r\n\r\n{{}}".encode())
    lines = answer.partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert not [line for line in lines if line.lower().startswith((b"set-cookie", b"x-0"))]
    assert lines[0].startswith((b"HTTP/1.1 502 ", b"HTTP/1.1 200 "))
    assert not set(b"".join(lines)) & {0, 10, 13}
    assert answer.count(b"HTTP/1.1 ") == 1
    if lines[0].startswith(b"HTTP/1.1 502 "):
        assert b'"code":"unknown"' in answer


@pytest.mark.parametrize("answer", [None, b"", b"HTTP/1.1 200 OK\r\nContent-Le"])
async def test_an_upstream_that_dies_before_its_answer_is_asked_once(through, answer):
    gateway, upstream = await through(answer)
    found = await gateway.chat()
    assert (found.status_code, found.json()["error"]["code"]) == (502, "unknown")
    assert (found.headers["x-should-retry"], found.headers["x-connector-state"]) == ("false", "unknown")
    assert len(upstream.heads) == 1


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"Content-Length: 100\r\n\r\n{half",
        OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{half\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n50\r\n{half",
    ],
)
async def test_an_answer_that_breaks_off_is_not_taken_for_whole(through, answer):
    gateway, upstream = await through(answer)
    with pytest.raises(httpx.RemoteProtocolError):
        await gateway.chat()
    assert len(upstream.heads) == 1


async def test_what_upstream_says_unasked_is_nobodys_answer(through):
    poison = OK + b'Content-Length: 10\r\n\r\n{"evil":1}'
    gateway, _ = await through(WHOLE + poison, WHOLE, keep=True)
    found = [(await gateway.chat()).content for _ in range(3)]
    assert b'{"evil":1}' not in found
    assert found[0] == b"{}"


async def test_early_hints_are_no_answer(through):
    gateway, _ = await through(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + WHOLE)
    answer = await gateway.chat()
    assert (answer.status_code, answer.content) == (200, b"{}")
    assert "link" not in answer.headers


async def test_headers_of_one_connection_stay_there(through):
    hop = b"Connection: close, X-Inner\r\nX-Inner: 1\r\nKeep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\n"
    gateway, upstream = await through(OK + hop + b"Content-Length: 2\r\n\r\n{}")
    mine = {"Connection": "keep-alive, X-Mine", "X-Mine": "1", "TE": "trailers", "Proxy-Authorization": "Basic x"}
    answer = await gateway.chat(headers=mine)
    assert answer.status_code == 200
    for name in ("x-inner", "keep-alive", "proxy-authenticate"):
        assert name not in answer.headers
    asked = upstream.heads[0].lower()
    for name in (b"\r\nx-mine:", b"\r\nte:", b"\r\nproxy-authorization:"):
        assert name not in asked


async def test_a_caller_who_leaves_in_mid_upload_ends_the_call(through):
    gateway, upstream = await through(WHOLE)
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    head = f"POST /openai/v1/files HTTP/1.1\r\nHost: localhost:{gateway.port}\r\nAuthorization: Bearer {TOKEN}\r\n"
    head += "Content-Type: application/octet-stream\r\nContent-Length: 10000000\r\n\r\n"
    writer.write(head.encode() + b"x" * 200_000)
    await writer.drain()
    async with asyncio.timeout(30):
        while not upstream.heads:
            await asyncio.wait({asyncio.ensure_future(reader.read(1))}, timeout=0.01)
    writer.transport.abort()
    async with asyncio.timeout(30):
        await upstream.left.wait()
    answer = await gateway.chat()
    assert answer.status_code == 200
    assert gateway.listening.gateway.in_flight == 0
