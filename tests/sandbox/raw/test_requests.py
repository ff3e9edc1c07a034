"""Requests as bytes: what can be misread is refused, what is whole is answered once, and nothing sent is logged."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

import pytest

KEY = "sk-canary-of-a-caller"
LINE = "POST /v1/chat/completions HTTP/1.1\r\n"
CHUNKED = "Transfer-Encoding: chunked\r\n"
MALFORMED = {
    "both lengths": f"{LINE}HOSTContent-Length: 5\r\n{CHUNKED}\r\n0\r\n\r\n",
    "two lengths": f"{LINE}HOSTContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
    "a signed length": f"{LINE}HOSTContent-Length: +1\r\n\r\nx",
    "a coding after chunked": f"{LINE}HOSTTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "an unknown coding": f"{LINE}HOSTTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a space in a name": f"{LINE}HOSTTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "bare LF": "GET /v1/models HTTP/1.1\nHost: localhost\n\n",
    "bare CR": f"{LINE}HOSTX: y\rZ: 1\r\n\r\n",
    "a folded header": f"{LINE}HOSTX: y\r\n z\r\n\r\n",
    "NUL": f"{LINE}HOSTX: y\0z\r\n\r\n",
    "a size that is none": f"{LINE}HOST{CHUNKED}\r\nzz\r\n\r\n",
    "a huge chunk": f"{LINE}HOST{CHUNKED}\r\nfffffffffffffffff\r\nx\r\n0\r\n\r\n",
    "a chunk longer than it says": f"{LINE}HOST{CHUNKED}\r\n1\r\nxy\r\n0\r\n\r\n",
    "no host": f"{LINE}\r\n",
    "two hosts": f"{LINE}HOSTHost: evil\r\n\r\n",
    "many headers": f"{LINE}HOST{''.join(f'X-{n}: 1' + chr(13) + chr(10) for n in range(150))}\r\n",
    "a long header": f"{LINE}HOSTX: {'a' * 20_000}\r\n\r\n",
    "HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}
SMUGGLED = "GET /v1/smuggled HTTP/1.1\r\nHOST\r\n"


async def told(port: int, text: str) -> bytes:
    """What comes back until the sandbox closes the connection."""
    host = f"Host: localhost:{port}\r\nAuthorization: Bearer {KEY}\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(text.replace("HOST", host).encode())
        async with asyncio.timeout(30):
            return await reader.read()
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


def port_of(running) -> int:
    return int(running.sandbox.origin.rpartition(":")[2])


@pytest.mark.parametrize("case", MALFORMED)
async def test_what_can_be_misread_is_refused_and_not_logged(running, caplog, case):
    with caplog.at_level(logging.DEBUG):
        answer = await told(port_of(running), MALFORMED[case] + SMUGGLED)
    assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4")), answer
    assert answer.count(b"HTTP/1.1 ") + answer.count(b"HTTP/1.0 ") == 1
    assert running.sandbox.requests == []
    assert KEY not in caplog.text


async def test_pipelined_calls_are_answered_one_by_one(running):
    one, last = "GET /v1/models HTTP/1.1\r\nHOST\r\n", "GET /v1/models HTTP/1.1\r\nHOSTConnection: close\r\n\r\n"
    answer = await told(port_of(running), one + one + last)
    assert answer.count(b"HTTP/1.1 200 ") == 3
    assert len(running.sandbox.requests) == 3


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200), ("127.0.0.1:1", 200), ("[::1]:8765", 200), ("sandbox", 200), ("evil.example", 421),
        ("localhost.evil.example", 421), ("127.0.0.1.nip.io", 421), ("[", 421),
    ],
)  # fmt: skip
async def test_a_page_that_found_its_way_here_reads_nothing(running, host, status):
    found, _ = await running.call("GET", "/sandbox/requests", headers={"Host": host})
    assert found == status


@pytest.mark.parametrize(
    "path",
    ["/v1/../sandbox/requests", "/v1/files/%2e%2e/models", "/v1/files/..%2fmodels", "//evil/v1/models", "/v1//models"],
)
async def test_a_path_leads_nowhere_else(running, path):
    answer = await told(port_of(running), f"GET {path} HTTP/1.1\r\nHOSTConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 4"), answer


async def test_a_caller_who_leaves_in_mid_upload_leaves_nothing(running):
    _, writer = await asyncio.open_connection("127.0.0.1", port_of(running))
    head = f"{LINE}Host: localhost\r\nAuthorization: Bearer {KEY}\r\nContent-Length: 100000\r\n\r\n"
    writer.write(head.encode() + b"x" * 1000)
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    status, _ = await running.call("GET", "/models")
    assert status == 200
    assert [each["status"] for each in running.sandbox.requests if each["path"] == "/v1/chat/completions"] in (
        [],
        [None],
    )
