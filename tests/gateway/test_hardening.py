"""Requests that two servers could read in two ways, and callers who are slow, large or many; byte by byte."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from connector.config.models.gateway import hash_token
from connector.gateway.connection import Timeouts
from tests.gateway.conftest import TOKEN

LINE = "POST /openai/v1/responses HTTP/1.1\r\n"
CHUNKED = "Transfer-Encoding: chunked\r\n"
MALFORMED = {
    "both lengths": f"{LINE}HOSTContent-Length: 5\r\n{CHUNKED}\r\n0\r\n\r\n",
    "both lengths, the other way": f"{LINE}HOST{CHUNKED}Content-Length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": f"{LINE}HOSTContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
    "two equal lengths": f"{LINE}HOSTContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
    "a list of lengths": f"{LINE}HOSTContent-Length: 1, 1\r\n\r\nx",
    "a signed length": f"{LINE}HOSTContent-Length: +1\r\n\r\nx",
    "an empty length": f"{LINE}HOSTContent-Length:\r\n\r\n",
    "a coding before chunked": f"{LINE}HOSTTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "identity before chunked": f"{LINE}HOSTTransfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n",
    "a coding after chunked": f"{LINE}HOSTTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "an unknown coding": f"{LINE}HOSTTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "two codings": f"{LINE}HOST{CHUNKED}{CHUNKED}\r\n0\r\n\r\n",
    "a space in a name": f"{LINE}HOSTTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "chunks in HTTP/1.0": f"POST /openai/v1/responses HTTP/1.0\r\nHOST{CHUNKED}\r\n0\r\n\r\n",
    "bare LF": "GET /openai/v1/models HTTP/1.1\nHost: localhost\n\n",
    "bare LF after a header": f"{LINE}Host: localhost\nX: y\r\n\r\n",
    "bare CR": f"{LINE}HOSTX: y\rZ: 1\r\n\r\n",
    "a folded header": f"{LINE}HOSTX: y\r\n z\r\n\r\n",
    "a folded coding": f"{LINE}HOSTTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "NUL": f"{LINE}HOSTX: y\0z\r\n\r\n",
    "a control character": f"{LINE}HOSTX: y\1z\r\n\r\n",
    "a size that is none": f"{LINE}HOST{CHUNKED}\r\nzz\r\n\r\n",
    "a size in other words": f"{LINE}HOST{CHUNKED}\r\n0x1\r\nx\r\n0\r\n\r\n",
    "a chunk ended by LF": f"{LINE}HOST{CHUNKED}\r\n1\nx\n0\n\n",
    "a chunk longer than it says": f"{LINE}HOST{CHUNKED}\r\n1\r\nxy\r\n0\r\n\r\n",
    "a huge chunk": f"{LINE}HOST{CHUNKED}\r\nfffffffffffffffff\r\nx\r\n0\r\n\r\n",
    "no host": f"{LINE}\r\n",
    "two hosts": f"{LINE}HOSTHost: evil\r\n\r\n",
    "a space in the target": "GET /openai/v1/a b HTTP/1.1\r\nHOST\r\n",
    "letters beyond ASCII": "GET /openai/v1/é HTTP/1.1\r\nHOST\r\n",
    "a name in brackets": f"{LINE}HOSTX(y): 1\r\n\r\n",
    "no name": f"{LINE}HOST: 1\r\n\r\n",
    "a space before the first header": f"{LINE} Host: localhost\r\n\r\n",
    "HTTP/0.9": "GET /openai/v1/models\r\n\r\n",
    "HTTP/2.0 in words of 1.1": "GET /openai/v1/models HTTP/2.0\r\nHOST\r\n",
    "HTTP/1.2": "GET /openai/v1/models HTTP/1.2\r\nHOST\r\n",
    "HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "an unknown method": "FOO /openai/v1/models HTTP/1.1\r\nHOST\r\n",
    "a method in small letters": "get /openai/v1/models HTTP/1.1\r\nHOST\r\n",
    "TRACE": "TRACE /openai/v1/models HTTP/1.1\r\nHOST\r\n",
    "CONNECT": "CONNECT evil:443 HTTP/1.1\r\nHOST\r\n",
    "OPTIONS of everything": "OPTIONS * HTTP/1.1\r\nHOST\r\n",
    "an absolute URL": "GET http://evil/openai/v1/models HTTP/1.1\r\nHOST\r\n",
    "a URL of our own": "GET http://localhost/openai/v1/models HTTP/1.1\r\nHOST\r\n",
    "another host": "GET //evil/openai/v1/models HTTP/1.1\r\nHOST\r\n",
    "a fragment": "GET /openai/v1/models#x HTTP/1.1\r\nHOST\r\n",
    "a fragment in the query": "GET /openai/v1/models?a#x HTTP/1.1\r\nHOST\r\n",
    "two tokens": f"{LINE}HOSTAuthorization: Bearer other\r\n\r\n",
    "two types": f"{LINE}HOSTContent-Type: a/b\r\nContent-Type: c/d\r\n\r\n",
    "a WebSocket": f"{LINE}HOSTConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    "an unknown expectation": f"{LINE}HOSTExpect: money\r\nContent-Length: 1\r\n\r\nx",
    "many headers": f"{LINE}HOST{''.join(f'X-{n}: 1' + chr(13) + chr(10) for n in range(150))}\r\n",
    "a long header": f"{LINE}HOSTX: {'a' * 20_000}\r\n\r\n",
    "a long target": f"GET /openai/v1/{'a' * 20_000} HTTP/1.1\r\nHOST\r\n",
    "a longer path than any": f"GET /openai/v1/{'a' * 5_000} HTTP/1.1\r\nHOST\r\n",
}
SMUGGLED = "GET /openai/v1/smuggled HTTP/1.1\r\nHOST\r\n"


@pytest.mark.parametrize("case", MALFORMED)
async def test_what_can_be_misread_is_refused_and_its_connection_ended(start, upstream, case):
    gateway = await start()
    host = f"Host: localhost:{gateway.port}\r\nAuthorization: Bearer {TOKEN}\r\n"
    data = (MALFORMED[case] + SMUGGLED).replace("HOST", host).encode()
    answer = await gateway.raw(data)
    status = int(answer.split(b" ", 2)[1])
    assert 400 <= status < 510
    assert status != 500
    assert answer.startswith(b"HTTP/1.0 ") or b"connection: close" in answer.lower().partition(b"\r\n\r\n")[0]
    assert answer.count(b"HTTP/1.") == 1 or b"HTTP/1.1" in answer.partition(b"\r\n\r\n")[2], answer
    assert TOKEN.encode() not in answer  # what was sent is not echoed
    assert upstream.seen == []


@pytest.mark.parametrize(
    "path",
    [
        "/openai/v1/../../admin", "/openai/v1/files/../models", "/openai/v1/files/..", "/openai/v1/./models",
        "/openai/v1/%2e%2e/models", "/openai/v1/%2E%2e/models", "/openai/v1/.%2e/models", "/openai/v1/%252e%252e/x",
        "/openai/v1//models", "//openai/v1/models", "/openai//v1/models", "/openai/v1/files/a%2fb",
        "/openai/v1/files/a%2Fb", "/openai/v1/files/a%5cb", "/openai/v1/files/a\\b", "/openai/v1/files/%00",
        "/openai/v1/files/%0d%0a", "/openai/v1/files/%ff", "/openai/v1/files/%", "/openai/v1/files/%zz",
        "/openai/v1/files/..%252fmodels", "/openai/v1/files/%7f", "/openai/../openai/v1/models",
        "/v1/apis/http/openai/../../openai/models", "/v1/apis/http/openai//models", '/openai/v1/"x"',
        "/openai/v1/files/{id}", "/openai/v1/files/<x>", "/openai/v1/files/..;/models",
        "/openai/v1/files/..%3b/models", "/openai/v1/files/%2e%2e;/models", "/openai/v1/files/%2e%2e%3Bx=1/models",
        "/openai/v1/files/.;/models", "/openai/v1/files/%252e%252e%253b/models", "/openai/v1/organization;x/users",
        "/openai/v1/models;jsessionid=1", "/openai/v1/files/a%252fb", "/openai/v1/files/a%255cb", "/openai;x/v1/models",
        "/openai/v1/files/%25252e%25252e/x", "/openai/v1/files/a%2500", "/v1/apis/http/openai;/models",
    ],
)  # fmt: skip
async def test_a_path_leads_nowhere_else(start, upstream, path):
    gateway = await start({"allow": ["* /*"]})
    head = f"GET {path} HTTP/1.1\r\nHost: localhost:{gateway.port}\r\nAuthorization: Bearer {TOKEN}\r\n"
    answer = await gateway.raw(f"{head}Connection: close\r\n\r\n".encode())
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 404 ")), answer
    assert upstream.seen == []


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:PORT", 200), ("127.0.0.1:PORT", 200), ("gateway.example.com", 200), ("GATEWAY.example.com", 200),
        ("gateway.example.com:PORT", 200), ("localhost", 421), ("localhost:1", 421), ("evil.example.com", 421),
        ("gateway.example.com.evil.com", 421), ("gateway.example.com:99", 421), ("", 421), ("127.0.0.1.nip.io", 421),
    ],
)  # fmt: skip
async def test_only_hosts_that_are_known_are_served(start, host, status):
    gateway = await start(gateway={"hosts": ["gateway.example.com"], "tokens": {"bot": {"hash": hash_token(TOKEN)}}})
    answer = await gateway.get("/openai/v1/models", headers={"Host": host.replace("PORT", str(gateway.port))})
    assert answer.status_code == status


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost"])
async def test_pages_in_browsers_do_not_call(start, upstream, origin):
    gateway = await start()
    answer = await gateway.chat(headers={"Origin": origin})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "origin")
    assert not [name for name in answer.headers if name.startswith("access-control-")]
    preflight = await gateway.http.options(f"{gateway.url}/openai/v1/models", headers={"Origin": origin})
    assert preflight.status_code == 405
    assert upstream.seen == []


async def test_a_body_has_a_bound_whether_it_says_its_length_or_not(start, upstream):
    gateway = await start(gateway={"body_bytes": 100_000, "tokens": {"bot": {"hash": hash_token(TOKEN)}}})
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/octet-stream"}

    async def pieces():
        for _ in range(3):
            yield b"x" * 50_000

    for content in (b"x" * 100_001, pieces()):
        answer = await gateway.http.post(f"{gateway.url}/openai/v1/files", content=content, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body_too_large")
    assert upstream.seen == []
    answer = await gateway.http.post(f"{gateway.url}/openai/v1/files", content=b"x" * 100_000, headers=headers)
    assert answer.status_code == 200


async def test_a_head_that_drips_is_ended(start):
    gateway = await start(options={"timeouts": Timeouts(head=0.05)})
    assert (await gateway.raw(b"GET /openai/v1/mod")).startswith(b"HTTP/1.1 408 ")
    assert (await gateway.raw(b"")).startswith(b"HTTP/1.1 408 ")


async def test_a_second_head_that_drips_is_ended_as_well(start):
    gateway = await start(options={"timeouts": Timeouts(head=0.05)})
    whole = f"GET /healthz HTTP/1.1\r\nHost: localhost:{gateway.port}\r\n\r\n".encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(whole)
    await reader.readuntil(b"}")
    writer.write(b"GET /hea")
    assert (await reader.read()).startswith(b"HTTP/1.1 408 ")
    writer.close()


async def test_a_head_in_many_pieces_has_a_bound(start):
    gateway = await start()
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(b"GET /healthz HTTP/1.1\r\n")
    for number in range(9):
        writer.write(f"X-{number}: {'a' * 8000}\r\n".encode())
        await asyncio.sleep(0)
    assert (await reader.read()).startswith(b"HTTP/1.1 431 ")
    writer.close()


async def test_a_body_that_stops_coming_is_ended(start, upstream):
    gateway = await start(options={"timeouts": Timeouts(idle=0.05, linger=0.05)})
    for kind in ("application/json", "application/octet-stream"):
        head = f"{LINE}Host: localhost:{gateway.port}\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: {kind}\r\n"
        answer = await gateway.raw(f"{head}Content-Length: 100\r\n\r\nhalf".encode())
        assert answer.startswith(b"HTTP/1.1 408 ")
    assert upstream.seen == []


async def test_connections_have_a_bound(start):
    gateway = await start(gateway={"connections": 3, "tokens": {"bot": {"hash": hash_token(TOKEN)}}})
    held = [await asyncio.open_connection("127.0.0.1", gateway.port) for _ in range(3)]
    for reader, writer in held:
        writer.write(f"GET /healthz HTTP/1.1\r\nHost: localhost:{gateway.port}\r\n\r\n".encode())
        await reader.readuntil(b"}")
    assert (await gateway.raw(b"")).startswith(b"HTTP/1.1 503 ")
    reader, writer = held.pop()
    writer.close()
    await writer.wait_closed()
    whole = f"GET /healthz HTTP/1.1\r\nHost: localhost:{gateway.port}\r\nConnection: close\r\n\r\n".encode()
    async with asyncio.timeout(30):
        while not (await gateway.raw(whole)).startswith(b"HTTP/1.1 200 "):
            pass  # the gateway learns of the end of a connection when it does
    for _, writer in held:
        writer.close()


async def test_a_caller_who_stops_reading_is_left(start, upstream):
    left = asyncio.Event()

    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x" * 65536)
        except (ConnectionError, asyncio.CancelledError):
            left.set()
            raise

    upstream.handler = endless
    gateway = await start(options={"timeouts": Timeouts(idle=0.1)})
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    head = f"GET /openai/v1/models HTTP/1.1\r\nHost: localhost:{gateway.port}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    writer.write(head.encode())
    await reader.readuntil(b"\r\n\r\n")
    async with asyncio.timeout(30):
        await left.wait()
    writer.transport.abort()


async def test_pipelined_calls_are_answered_one_by_one(start, upstream):
    gateway = await start()
    head = f"Host: localhost:{gateway.port}\r\nAuthorization: Bearer {TOKEN}\r\n"
    first = f"POST /openai/v1/responses HTTP/1.1\r\n{head}Content-Length: 2\r\n\r\n{{}}"
    last = f"GET /openai/v1/models HTTP/1.1\r\n{head}Connection: close\r\n\r\n"
    answer = await gateway.raw((first + last).encode())
    assert answer.count(b"HTTP/1.1 200 ") == 2
    assert [seen.method for seen in upstream.seen] == ["POST", "GET"]


@pytest.mark.parametrize("path", ["/openai/v1/responses", "/healthz", "/nothing"])
async def test_trailers_become_nobodys_headers(start, upstream, path):
    gateway = await start()
    head = f"Host: localhost:{gateway.port}\r\nAuthorization: Bearer {TOKEN}\r\n"
    first = f"POST {path} HTTP/1.1\r\n{head}{CHUNKED}\r\n2\r\n{{}}\r\n0\r\nX-Trailer: 1\r\n\r\n"
    last = f"GET /openai/v1/models HTTP/1.1\r\n{head}\r\n"
    assert (await gateway.raw((first + last).encode())).count(b"HTTP/1.1 ") == 1
    assert not [seen for seen in upstream.seen if "x-trailer" in seen.headers or seen.method == "GET"]
