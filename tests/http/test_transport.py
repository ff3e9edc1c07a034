"""What the transport says when the network misbehaves: not sent means that not one byte went out."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from connector.http.transports.aiohttp_transport import AiohttpTransport
from connector.http.transports.base import NEVER_SENT, CertificateRefused
from connector.http.transports.tls import TlsContext

CERTIFICATES = Path(__file__).parent / "certificates"
SHORT = {"connect": 2.0, "read": 0.05, "write": 0.05, "pool": 1.0}


@pytest.fixture
async def transport() -> AsyncIterator[AiohttpTransport]:
    async with AiohttpTransport(tls=TlsContext(str(CERTIFICATES / "ca.pem"))) as opened:
        yield opened


async def call(
    transport: httpx.AsyncBaseTransport, uri: str, method: str = "POST", **options: object
) -> httpx.Response:
    options.setdefault("content", b'{"a": 1}' if method == "POST" else b"")
    request = httpx.Request(method, uri, extensions={"timeout": SHORT}, **options)
    response = await transport.handle_async_request(request)
    try:
        response.read_body = b"".join([chunk async for chunk in response.stream])
    finally:
        await response.aclose()
    return response


def reset(writer) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def answer(body: bytes = b"{}", status: str = "200 OK", headers: str = "x: y") -> bytes:
    return f"HTTP/1.1 {status}\r\n{headers}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


async def test_an_answer_comes_back_whole_and_raw(transport, serve):
    async def script(up, reader, writer):
        await up.read_request(reader)
        writer.write(answer(b"not gzip at all", headers="content-encoding: gzip\r\nx-Odd: 1"))

    up = await serve(script)
    response = await call(transport, f"{up.uri}/v1/a%2Fb/ft:x?ids%5B%5D=1")
    assert (response.status_code, response.read_body, response.headers["x-odd"]) == (200, b"not gzip at all", "1")
    assert up.heads[0].startswith(b"POST /v1/a%2Fb/ft:x?ids%5B%5D=1 HTTP/1.1\r\n")
    assert up.bodies == [b'{"a": 1}']


async def test_only_the_given_headers_go_out(transport, serve):
    async def script(up, reader, writer):
        await up.read_request(reader)
        writer.write(answer())

    up = await serve(script)
    await call(transport, up.uri, content=b"")
    names = {line.split(b":")[0].lower() for line in up.heads[0].split(b"\r\n")[1:] if line}
    assert names == {b"host", b"content-length"}


async def test_a_refused_connection_is_not_sent(transport):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with pytest.raises(httpx.ConnectError, match="connection refused"):
            await call(transport, f"http://127.0.0.1:{closed.getsockname()[1]}")


async def test_an_unknown_host_is_not_sent(transport):
    with pytest.raises(httpx.ConnectError, match="was not found"):
        await call(transport, "http://no-such-host.invalid")


@pytest.mark.parametrize("certificate", ["stranger", "expired", "misnamed"])
async def test_a_bad_certificate_is_not_sent(transport, serve, certificate):
    async def script(up, reader, writer):
        await up.read_request(reader)

    up = await serve(script, certificate=certificate)
    with pytest.raises(CertificateRefused, match="certificate"):
        await call(transport, up.uri)
    assert up.heads == []


async def test_a_good_certificate_is_accepted(transport, serve):
    async def script(up, reader, writer):
        await up.read_request(reader)
        writer.write(answer(b"hello"))

    up = await serve(script, certificate="good")
    assert (await call(transport, up.uri)).read_body == b"hello"


async def test_tls_to_a_server_without_tls_is_not_sent(transport, serve):
    async def script(up, reader, writer):
        await reader.read(10)
        writer.write(b"HTTP/1.1 400 Bad\r\n\r\n")

    up = await serve(script)
    with pytest.raises(httpx.ConnectError):
        await call(transport, up.uri.replace("http", "https"))


async def test_a_server_that_hangs_up_during_the_handshake_is_not_sent(transport, serve):
    async def script(up, reader, writer):
        writer.transport.abort()

    up = await serve(script)
    with pytest.raises(httpx.ConnectError):
        await call(transport, up.uri.replace("http", "https"))


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("hang_up", [lambda w: w.close(), reset], ids=["fin", "rst"])
async def test_hanging_up_after_the_request_is_never_called_not_sent_nor_repeated(transport, serve, method, hang_up):
    async def script(up, reader, writer):
        await up.read_request(reader)
        hang_up(writer)

    up = await serve(script)
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)) as caught:
        await call(transport, up.uri, method)
    assert not isinstance(caught.value, NEVER_SENT)
    assert len(up.heads) == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_hanging_up_right_after_accept_is_not_repeated(transport, serve, method):
    async def script(up, reader, writer):
        reset(writer)

    up = await serve(script)
    with pytest.raises(httpx.TransportError):
        await call(transport, up.uri, method)
    assert up.connections == 1


@pytest.mark.parametrize(
    "partial",
    [
        b"HTTP/1.1 200 OK\r\ncontent-le",
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n",
    ],
)
@pytest.mark.parametrize("hang_up", [lambda w: w.close(), reset], ids=["fin", "rst"])
async def test_an_answer_cut_short_is_a_broken_answer(transport, serve, partial, hang_up):
    async def script(up, reader, writer):
        await up.read_request(reader)
        writer.write(partial)
        await writer.drain()
        if hang_up is reset:
            await asyncio.sleep(0.01)
        hang_up(writer)

    up = await serve(script)
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        await call(transport, up.uri)
    assert len(up.heads) == 1


@pytest.mark.parametrize("partial", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{"])
async def test_silence_is_a_read_timeout(transport, serve, partial):
    async def script(up, reader, writer):
        await up.read_request(reader)
        writer.write(partial)
        await reader.read()

    up = await serve(script)
    with pytest.raises(httpx.ReadTimeout):
        await call(transport, up.uri)


async def test_a_server_that_stops_reading_is_a_write_timeout(transport, serve):
    async def script(up, reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.pause_reading()
        await asyncio.sleep(5)

    up = await serve(script)
    with pytest.raises(httpx.WriteTimeout):
        await call(transport, up.uri, content=bytes(30_000_000))


async def test_a_hang_up_in_mid_upload_is_a_write_or_read_error(transport, serve):
    async def script(up, reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        reset(writer)

    up = await serve(script)
    with pytest.raises((httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError)):
        await call(transport, up.uri, content=bytes(30_000_000))


async def test_an_early_answer_to_a_large_upload_is_read(transport, serve):
    async def script(up, reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer(b"too large", status="413 Content Too Large", headers="connection: close"))
        await writer.drain()
        await reader.read()

    up = await serve(script)
    response = await call(transport, up.uri, content=bytes(3_000_000))
    assert (response.status_code, response.read_body) == (413, b"too large")


async def test_an_answer_before_the_upload_ended_is_read_although_the_server_hung_up(transport, serve):
    async def script(up, reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer(b"too large", status="413 Content Too Large", headers="connection: close"))
        await writer.drain()

    up = await serve(script)
    response = await call(transport, up.uri, content=bytes(20_000_000))
    assert (response.status_code, response.read_body) == (413, b"too large")


class Pieces(httpx.AsyncByteStream):
    def __init__(self, *pieces: bytes | Exception) -> None:
        self.pieces = pieces

    async def __aiter__(self):
        for piece in self.pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece


async def test_a_streamed_body_goes_out_with_its_length(transport, serve):
    async def script(up, reader, writer):
        await up.read_request(reader)
        writer.write(answer())

    up = await serve(script)
    await call(transport, up.uri, content=None, stream=Pieces(b"ab", b"cd"), headers={"content-length": "4"})
    assert up.bodies == [b"abcd"]
    assert b"transfer-encoding" not in up.heads[0].lower()


async def test_a_streamed_body_of_unknown_length_is_chunked(transport, serve):
    async def script(up, reader, writer):
        await up.read_request(reader)
        up.bodies.append(await reader.readuntil(b"0\r\n\r\n"))
        writer.write(answer())

    up = await serve(script)
    await call(transport, up.uri, content=None, stream=Pieces(b"ab", b"cd"), headers={"transfer-encoding": "chunked"})
    assert up.bodies == [b"2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n"]


@pytest.mark.parametrize("failure", [LookupError("file has changed"), OSError(5, "file has changed")])
async def test_what_goes_wrong_with_a_body_is_told_as_it_is(transport, serve, failure):
    async def script(up, reader, writer):
        await up.read_request(reader)
        writer.write(answer())

    up = await serve(script)
    with pytest.raises(type(failure)) as caught:
        await call(transport, up.uri, content=None, stream=Pieces(b"a", failure), headers={"content-length": "9"})
    assert caught.value is failure
    assert up.bodies == []


async def test_a_pooled_connection_is_used_again(transport, serve):
    async def script(up, reader, writer):
        while True:
            await up.read_request(reader)
            writer.write(answer())

    up = await serve(script)
    for _ in range(3):
        await call(transport, up.uri)
    assert (up.connections, len(up.heads)) == (1, 3)


@pytest.mark.parametrize("hang_up", [lambda w: w.close(), reset], ids=["fin", "rst"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_pooled_connection_that_was_closed_costs_nothing(transport, serve, method, hang_up):
    async def script(up, reader, writer):
        await up.read_request(reader)
        writer.write(answer())
        await writer.drain()
        hang_up(writer)

    up = await serve(script)
    for _ in range(5):
        assert (await call(transport, up.uri, method)).status_code == 200
    assert len(up.heads) == 5


def hanging_up(listener: socket.socket, hung_up: threading.Semaphore, requests: list[bytes]) -> None:
    """Answers one request a connection and closes it, in a thread, so that no event loop notices."""
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            requests.append(connection.recv(65536))
            connection.sendall(answer())
        hung_up.release()


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_pooled_connection_whose_end_nobody_noticed_is_not_written_to(transport, method):
    hung_up, requests = threading.Semaphore(0), []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=hanging_up, args=(listener, hung_up, requests))
        thread.start()
        for _ in range(5):
            response = await call(transport, f"http://127.0.0.1:{listener.getsockname()[1]}", method)
            assert response.status_code == 200
            hung_up.acquire(timeout=30)
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)
    assert len(requests) == 5


async def test_headers_are_bounded(transport, serve):
    async def script(up, reader, writer):
        await up.read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nx: " + b"a" * 200_000 + b"\r\n\r\n")

    up = await serve(script)
    with pytest.raises(httpx.RemoteProtocolError):
        await call(transport, up.uri)


async def test_endless_headers_are_bounded(transport, serve):
    async def script(up, reader, writer):
        await up.read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(10_000):
            writer.write(b"x-%d: y\r\n" % number)

    up = await serve(script)
    with pytest.raises(httpx.RemoteProtocolError):
        await call(transport, up.uri)


async def test_redirects_are_not_followed(transport, serve):
    async def script(up, reader, writer):
        await up.read_request(reader)
        writer.write(answer(b"", status="302 Found", headers="location: http://127.0.0.1:9/"))

    up = await serve(script)
    assert (await call(transport, up.uri)).status_code == 302
    assert len(up.heads) == 1


async def test_no_exception_holds_the_request(transport, serve):
    async def script(up, reader, writer):
        await up.read_request(reader)
        writer.write(b"not http\r\n\r\n")

    up = await serve(script)
    with pytest.raises(httpx.RemoteProtocolError) as caught:
        await call(transport, up.uri, headers={"authorization": "Bearer sk-canary"})
    exc: BaseException | None = caught.value
    assert exc is not None
    assert exc.__cause__ is None
    assert exc.__context__ is None
    assert "canary" not in repr(exc)


async def test_waiting_for_a_connection_is_a_pool_timeout(serve):
    async def script(up, reader, writer):
        await up.read_request(reader)
        await reader.read()

    up = await serve(script)
    patience = {"connect": 0.05, "read": 5.0}
    async with AiohttpTransport(connections=1) as transport:
        first = asyncio.create_task(
            transport.handle_async_request(httpx.Request("GET", up.uri, extensions={"timeout": patience}))
        )
        await up.seen.wait()
        with pytest.raises(httpx.PoolTimeout):
            await transport.handle_async_request(httpx.Request("GET", up.uri, extensions={"timeout": patience}))
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
