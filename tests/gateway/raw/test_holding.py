"""Callers who take connections and never let go: others, and the health pages, are answered all the same."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from aiohttp import web

from connector.config.models.gateway import hash_token
from connector.gateway.connection import Timeouts
from connector.gateway.connection_limits import EXTRA, ConnectionLimits, network_of
from connector.stalled_readers import FLOOR
from tests.gateway.conftest import TOKEN

CERTIFICATES = Path(__file__).parents[2] / "http" / "certificates"
TOKENS = {"bot": {"hash": hash_token(TOKEN)}}
OTHER = "127.0.0.2"
UNREAD = {
    "refusals": "GET /metrics HTTP/1.1\r\nHOST\r\n",
    "health pages": "GET /healthz HTTP/1.1\r\nHOST\r\n",
    "unknown paths": "GET /nothing HTTP/1.1\r\nHOST\r\n",
    "what only heads are asked of": "HEAD /nothing HTTP/1.1\r\nHOST\r\n",
    "the counts": "GET /metrics HTTP/1.1\r\nHOSTAuthorization: Bearer TOKEN\r\n\r\n",
    "answers": "GET /openai/v1/models HTTP/1.1\r\nHOSTAuthorization: Bearer TOKEN\r\n\r\n",
    "webhooks": "POST /hook HTTP/1.1\r\nHOSTContent-Length: 0\r\n\r\n",
}


class Hook:
    """Receives webhooks and answers at length."""

    most = 1000
    status = 200
    said = "x" * 5000

    async def __call__(self, headers, body):
        return self


@asynccontextmanager
async def connected(port: int, *, address: str = "127.0.0.1", receive: int | None = None) -> AsyncIterator[tuple]:
    """A connection from an address of this machine that does not read by itself."""
    with socket.socket() as found:
        if receive is not None:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        found.setblocking(False)
        found.bind((address, 0))
        loop = asyncio.get_running_loop()
        await loop.sock_connect(found, ("127.0.0.1", port))
        yield found, loop


async def asked(port: int, path: str, *, address: str = "127.0.0.1", token: str = "", seconds: float = 20.0) -> int:
    """The status of an answer on a connection of its own."""
    bearer = f"Authorization: Bearer {token}\r\n" if token else ""
    head = f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n{bearer}\r\n"
    async with connected(port, address=address) as (found, loop), asyncio.timeout(seconds):
        await loop.sock_sendall(found, head.encode())
        return int((await loop.sock_recv(found, 65536)).split(b" ")[1])


async def large(request: web.BaseRequest) -> web.StreamResponse:
    return web.Response(body=b"x" * 3_000_000)


async def emptied(gateway) -> None:
    """Returns when no connection is left, whatever was in it."""
    never = asyncio.get_running_loop().create_future()
    while gateway.listening.server.connections:
        await asyncio.wait({never}, timeout=0.01)


async def flooded(port: int, request: str) -> None:
    """Sends a request again and again without reading, until the gateway has enough of it."""
    data = request.replace("HOST", f"Host: localhost:{port}\r\n").replace("TOKEN", TOKEN).encode() * 200
    async with connected(port, receive=4096) as (found, loop):
        with suppress(ConnectionError):
            while True:
                await loop.sock_sendall(found, data)


@pytest.mark.parametrize("kind", UNREAD)
async def test_nothing_is_written_for_ever_to_a_caller_who_does_not_read(start, upstream, kind):
    upstream.handler = large
    options = {"timeouts": Timeouts(idle=0.3), "receivers": {"/hook": Hook()}}
    gateway = await start({"metrics": True}, options=options)
    async with asyncio.timeout(60):
        await flooded(gateway.port, UNREAD[kind])
        await emptied(gateway)


@pytest.mark.parametrize("kind", ["health pages", "answers"])
async def test_nothing_is_kept_for_a_caller_over_tls_who_does_not_read(start, upstream, kind):
    upstream.handler = large
    tls = dict.fromkeys(("certificate", "key"), str(CERTIFICATES / "good.pem"))
    settings = {"tls": tls, "hosts": ["localhost"], "tokens": TOKENS}
    gateway = await start(gateway=settings, options={"timeouts": Timeouts(idle=0.3)})
    context = ssl.create_default_context(cafile=str(CERTIFICATES / "ca.pem"))
    reader, writer = await asyncio.open_connection("localhost", gateway.port, ssl=context)
    request = UNREAD[kind].replace("HOST", "Host: localhost\r\n").replace("TOKEN", TOKEN).encode() * 200
    async with asyncio.timeout(30):
        with suppress(ConnectionError):
            while not reader.at_eof():
                writer.write(request)
                await writer.drain()
        await emptied(gateway)
    writer.close()


async def test_what_is_left_unread_when_a_connection_closes_is_given_up(start, upstream):
    upstream.handler = large
    gateway = await start(options={"timeouts": Timeouts(idle=0.2)})
    head = f"GET /openai/v1/models HTTP/1.1\r\nHost: localhost:{gateway.port}\r\nAuthorization: Bearer {TOKEN}\r\n"
    async with connected(gateway.port, receive=4096) as (found, loop), asyncio.timeout(20):
        await loop.sock_sendall(found, f"{head}Connection: close\r\n\r\n".encode())
        await upstream.arrived.wait()
        await emptied(gateway)


async def test_a_caller_who_reads_slowly_and_steadily_gets_the_whole_answer(start, upstream):
    size = 3_000_000
    upstream.handler = large
    gateway = await start(options={"timeouts": Timeouts(idle=0.3)})
    head = f"GET /openai/v1/models HTTP/1.1\r\nHost: localhost:{gateway.port}\r\nAuthorization: Bearer {TOKEN}\r\n"
    async with connected(gateway.port, receive=65536) as (found, loop), asyncio.timeout(30):
        await loop.sock_sendall(found, f"{head}Connection: close\r\n\r\n".encode())
        since, seen = loop.time(), 0
        while piece := await loop.sock_recv(found, 65536):
            seen += len(piece)
            await asyncio.sleep(0.01)
        assert seen > size
        assert loop.time() - since > 0.3


async def test_a_body_that_drips_is_ended(start, upstream):
    gateway = await start(options={"timeouts": Timeouts(idle=0.3, linger=0.05)})
    head = f"POST /openai/v1/files HTTP/1.1\r\nHost: localhost:{gateway.port}\r\nAuthorization: Bearer {TOKEN}\r\n"
    async with connected(gateway.port) as (found, loop), asyncio.timeout(20):
        await loop.sock_sendall(found, f"{head}Content-Type: a/b\r\nContent-Length: {2 * FLOOR}\r\n\r\n".encode())
        answer = asyncio.ensure_future(loop.sock_recv(found, 65536))
        while not answer.done():
            await loop.sock_sendall(found, b"x")  # never silent for long, and never done
            await asyncio.wait({answer}, timeout=0.02)
        assert (await answer).startswith(b"HTTP/1.1 408 ")
    assert upstream.seen == []


async def test_requests_that_wait_are_few(start, upstream):
    go_on = asyncio.Event()

    async def waits(request):
        await go_on.wait()
        upstream.handler = None
        return await upstream(request)

    upstream.handler = waits
    gateway = await start()
    request = f"GET /openai/v1/models HTTP/1.1\r\nHost: localhost:{gateway.port}\r\nAuthorization: Bearer {TOKEN}\r\n"
    sent = 0
    async with connected(gateway.port) as (found, loop):
        data = f"{request}X-Fill: {'x' * 8000}\r\n\r\n".encode() * 20
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                while True:
                    await loop.sock_sendall(found, data)
                    sent += len(data)
        (connection,) = gateway.listening.server.connections
        assert len(connection._messages) <= 32 + 4
        assert sent < 32_000_000  # what the kernel's buffers take
        go_on.set()


@pytest.mark.parametrize(("first", "timeouts"), [("", Timeouts(head=30)), ("GET /he", Timeouts(head=30))])
async def test_one_address_keeps_neither_another_nor_a_health_page_out(start, first, timeouts):
    gateway = await start(gateway={"connections": 300, "tokens": TOKENS}, options={"timeouts": timeouts})
    opened = []
    try:
        for _ in range(400):
            found = socket.create_connection(("127.0.0.1", gateway.port))
            opened.append(found)
            found.sendall(first.encode())
            await asyncio.sleep(0)
        assert await asked(gateway.port, "/healthz") == 200
        assert await asked(gateway.port, "/openai/v1/models", token=TOKEN) == 503
        assert await asked(gateway.port, "/openai/v1/models", address=OTHER, token=TOKEN) == 200
    finally:
        for found in opened:
            found.close()
    async with asyncio.timeout(20):
        while await asked(gateway.port, "/openai/v1/models", token=TOKEN) != 200:
            pass  # the gateway learns of the end of a connection when it does


async def test_two_addresses_take_every_connection_and_a_health_page_is_still_answered(start):
    gateway = await start(gateway={"connections": 4, "tokens": TOKENS})
    opened = []
    try:
        for address in ("127.0.0.1", "127.0.0.1", OTHER, OTHER, *["127.0.0.3"] * 40):
            opened.append(socket.create_connection(("127.0.0.1", gateway.port), source_address=(address, 0)))
            await asyncio.sleep(0)
        for path in ("/healthz", "/readyz"):
            assert await asked(gateway.port, path, address="127.0.0.4") == 200
        assert await asked(gateway.port, "/openai/v1/models", address="127.0.0.4", token=TOKEN) == 200
    finally:
        for found in opened:
            found.close()


async def test_calls_that_are_under_way_make_room_for_nobody(start, upstream):
    go_on, came, all_came = asyncio.Event(), [], asyncio.Event()

    async def waits(request):
        came.append(request)
        if len(came) == 4:
            all_came.set()
        await go_on.wait()
        return web.json_response({})

    upstream.handler = waits
    gateway = await start(gateway={"connections": 4, "tokens": TOKENS})
    under_way = [
        asyncio.create_task(asked(gateway.port, "/openai/v1/models", address=address, token=TOKEN))
        for address in ("127.0.0.1", "127.0.0.1", OTHER, OTHER)
    ]
    await all_came.wait()
    assert await asked(gateway.port, "/openai/v1/models", address="127.0.0.3", token=TOKEN) == 503
    go_on.set()
    assert await asyncio.gather(*under_way) == [200] * 4


@pytest.mark.parametrize(
    "first", ["", "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", "POST /openai/v1/files HTTP/1.1\r\n"]
)
async def test_two_addresses_keep_no_third_out(start, first):
    gateway = await start(gateway={"connections": 100, "tokens": TOKENS}, options={"timeouts": Timeouts(head=30)})
    opened = []
    try:
        for number in range(140):
            address = ("127.0.0.1", OTHER)[number % 2]
            opened.append(socket.create_connection(("127.0.0.1", gateway.port), source_address=(address, 0)))
            opened[-1].sendall(first.encode())
            await asyncio.sleep(0)
        for _ in range(3):
            assert await asked(gateway.port, "/openai/v1/models", address="127.0.0.3", token=TOKEN) == 200
    finally:
        for found in opened:
            found.close()


async def test_handshakes_that_never_end_are_counted(start):
    tls = dict.fromkeys(("certificate", "key"), str(CERTIFICATES / "good.pem"))
    settings = {"listen": "0.0.0.0:0", "tls": tls, "hosts": ["localhost"], "tokens": TOKENS, "connections": 20}
    gateway = await start(gateway=settings)
    opened = []
    try:
        for _ in range(60):
            opened.append(socket.create_connection(("127.0.0.1", gateway.port)))
            await asyncio.sleep(0)
        context = ssl.create_default_context(cafile=str(CERTIFICATES / "ca.pem"))
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", gateway.port, ssl=context, server_hostname="localhost", local_addr=(OTHER, 0)
        )
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
        writer.close()
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", gateway.port, ssl=context, server_hostname="localhost"
        )
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
        writer.close()
    finally:
        for found in opened:
            found.close()


def test_places_are_given_back_once():
    seats, evicted = ConnectionLimits(3, 2), []
    first = seats.acquire("10.0.0.1", lambda: None)
    second = seats.acquire("10.0.0.1", lambda: None)
    first.is_busy = second.is_busy = True
    assert seats.acquire("10.0.0.1", lambda: None).is_extra
    assert not seats.acquire("10.0.0.2", lambda: None).is_extra
    first.release()
    first.release()
    third = seats.acquire("10.0.0.1", lambda: None)
    third.is_busy = True
    assert not third.is_extra
    assert seats.acquire("10.0.0.3", lambda: None).is_extra
    second.release()
    more = [seats.acquire("10.0.0.1", lambda n=n: evicted.append(n)) for n in range(EXTRA + 2)]
    assert [seat.is_extra for seat in more[:2]] == [False, True]
    assert evicted == [1]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("10.0.0.1", "10.0.0.2", False),
        ("10.0.0.1", "::ffff:10.0.0.1", True),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("", "unix", False),
    ],
)
def test_what_counts_as_one_address(one, other, same):
    assert (network_of(one) == network_of(other)) is same
