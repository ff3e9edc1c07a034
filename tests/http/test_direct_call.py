"""A call over a connection that is open already: written at once, and whatever is no plain answer is read as ever."""

from __future__ import annotations

import asyncio

import pytest

from connector.errors import ConnectorError
from connector.http import dispatch
from connector.model import State

PLAIN = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nX-A: 1\r\nx-a: 2\r\nset-cookie: c\r\n"
OK = PLAIN + b'content-length: 10\r\n\r\n{"id":"x"}'
CHUNKED = PLAIN + b'transfer-encoding: chunked\r\n\r\na\r\n{"id":"x"}\r\n0\r\n\r\n'
REFUSED = (
    b'HTTP/1.1 400 Bad\r\ncontent-type: application/json\r\ncontent-length: 27\r\n\r\n{"error":{"message":"no"}}\n'
)


@pytest.fixture
def begun(monkeypatch):
    """How many calls were written at once."""
    calls: list[bool] = []
    begin = dispatch.begin_direct

    def count(transport, call):
        made = begin(transport, call)
        calls.append(made is not None)
        return made

    monkeypatch.setattr("connector.http.attempt.begin_direct", count)
    return calls


def script(*answers):
    """Gives one answer after the other, on any connection; None is never answered."""
    left = list(answers)

    async def play(up, reader, writer):
        while True:
            await up.read_request(reader)
            if (answer := left.pop(0)) is None:
                await reader.read()
                return
            for part in answer if isinstance(answer, tuple) else (answer,):
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0)
            if answer == OK[:-4]:
                writer.close()
                return

    return play


async def test_the_second_call_is_written_at_once_and_gives_the_same(serve, make_client, wire, begun):
    up = await serve(script(OK, OK, CHUNKED, (OK[:30], OK[30:-4], OK[-4:]), REFUSED, OK))
    client = make_client(base_uri=up.uri)
    outcomes = [await client.send(wire(), retries=0) for _ in range(6)]
    assert begun == [False, True, True, True, True, True]
    assert up.connections == 1
    done, refused = [one for one in outcomes if one.ok], outcomes[4]
    assert [one.body for one in done] == [{"id": "x"}] * 5
    assert all(one.headers["x-a"] == "1, 2" and "set-cookie" not in one.headers for one in done)
    assert (refused.state, refused.status) == (State.REFUSED, 400)
    assert "no" in refused.reason
    assert len(set(up.heads)) == 1
    assert up.bodies == [b'{"a":1}'] * 6


async def test_an_answer_that_breaks_off_leaves_the_end_unknown(serve, make_client, wire, begun):
    up = await serve(script(OK, OK[:-4], OK))
    client = make_client(base_uri=up.uri)
    await client.send(wire())
    broken = await client.send(wire(), retries=0)
    assert broken.state is State.UNKNOWN
    assert (await client.send(wire())).ok
    assert begun == [False, True, False]
    assert up.connections == 2


async def test_time_that_runs_out_takes_the_connection_with_it(serve, make_client, wire, begun):
    up = await serve(script(OK, None, OK, OK))
    client = make_client(base_uri=up.uri)
    await client.send(wire())
    late = await client.send(wire(), timeout=0.05, retries=0)
    assert late.state is State.UNKNOWN
    assert late.reason.startswith("no complete answer within 0.05 seconds")
    assert (await client.send(wire())).ok
    assert (await client.send(wire())).ok
    assert begun == [False, True, False, True]
    assert up.connections == 2


async def test_an_answer_that_is_too_large_is_not_taken(serve, make_client, wire, begun):
    up = await serve(script(OK, PLAIN + b"content-length: 1026\r\n\r\n" + b'"%b"' % (b"x" * 1024)))
    client = make_client(base_uri=up.uri, max_answer_bytes=1024)
    assert (await client.send(wire())).ok
    refused = await client.send(wire(), retries=0)
    assert (refused.state, "larger than 1024 bytes" in refused.reason) == (State.UNKNOWN, True)
    assert begun == [False, True]


async def test_an_answer_that_goes_to_a_file_is_written_there(serve, make_client, wire, begun, tmp_path):
    up = await serve(script(OK, OK))
    client = make_client(base_uri=up.uri)
    await client.send(wire())
    assert (await client.send(wire(), to=tmp_path / "answer")).ok
    assert (tmp_path / "answer").read_bytes() == b'{"id":"x"}'
    assert begun == [False, True]


async def test_a_header_that_would_end_the_line_is_never_written(serve, make_client, wire, begun):
    up = await serve(script(OK, OK, OK))
    client = make_client(base_uri=up.uri)
    await client.send(wire())
    with pytest.raises((ValueError, ConnectorError)):
        await client.send(wire(headers={"x-a": "1\r\nx-b: 2"}))
    assert begun == [False, False]
    assert len(up.heads) == 1
