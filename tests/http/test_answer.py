"""Answers as they come: bounded, unpacked, and taken for what was due."""

from __future__ import annotations

import gzip
import zlib

import httpx
import orjson
import pytest

from connector.catalogue.operation import Operation
from connector.errors import ConfigurationError
from connector.model import State

CHAT = Operation(
    entity="chat completions", action="create", area="chat", method="POST", template="/chat/completions",
    answer={"json": "X", "events": "Y"}, ends=("[DONE]",),
)  # fmt: skip
SPEECH = Operation(
    entity="transcriptions", action="create", area="audio", method="POST", template="/audio/transcriptions",
    answer={"json": "X", "text": None},
)  # fmt: skip


def reply(content: bytes = b"{}", status: int = 200, **headers: str):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: httpx.Response(status, content=content, headers=named)


async def test_the_envelope(make_client, wire):
    upstream = reply(b'{"id":"x","new":[1]}', x_request_id="req_1", content_type="application/json", X_Odd="1")
    outcome = await make_client(upstream).send(wire(operation=CHAT))
    assert (outcome.state, outcome.status, outcome.request_id) == (State.DONE, 200, "req_1")
    assert outcome.body == {"id": "x", "new": [1]}
    assert outcome.headers["x-odd"] == "1"
    assert (outcome.reason, outcome.evidence, len(outcome.attempts)) == ("", "", 1)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"<html>Sign in to the airport's network", "text/html"),
        (b"", "application/json"),
        (b'{"cut":', "application/json"),
        (b'{"a": NaN}', "application/json"),
    ],
)
async def test_what_is_not_json_where_json_was_due_is_unknown_with_evidence(make_client, wire, content, kind):
    outcome = await make_client(reply(content, content_type=kind)).send(wire(operation=CHAT))
    assert outcome.state is State.UNKNOWN
    assert "JSON was due" in outcome.reason
    assert outcome.evidence == content.decode()
    assert outcome.body is None


async def test_evidence_is_short(make_client, wire):
    outcome = await make_client(reply(b"x" * 100_000)).send(wire(operation=CHAT))
    assert len(outcome.evidence) == 2048


async def test_a_read_that_met_a_captive_portal_is_tried_again(make_client, wire, answers):
    upstream = answers(httpx.Response(200, html="<html>"), httpx.Response(200, json={"id": "x"}))
    outcome = await make_client(upstream).send(wire("none", operation=CHAT))
    assert [attempt.state for attempt in outcome.attempts] == [State.UNKNOWN, State.DONE]


async def test_plain_text_is_fine_where_the_operation_may_give_it(make_client, wire):
    outcome = await make_client(reply(b"hello", content_type="text/plain")).send(wire(operation=SPEECH))
    assert (outcome.state, outcome.body) == (State.DONE, "hello")


@pytest.mark.parametrize(
    ("kind", "content", "content_type", "body"),
    [
        ("text", "h\xe9".encode("latin-1"), "text/plain; charset=latin-1", "h\xe9"),
        ("text", "h\xe9".encode(), "text/plain; charset=klingon", "h\xe9"),
        ("text", b"1\n00:00", "", "1\n00:00"),
        ("binary", b"\x00\xff", "audio/mpeg", b"\x00\xff"),
        ("empty", b"", "", None),
        ("empty", b'{"deleted":true}', "application/json", {"deleted": True}),
        ("json", b"[1]", "application/json", [1]),
    ],
)
async def test_kinds_of_answer(make_client, wire, kind, content, content_type, body):
    client = make_client(reply(content, content_type=content_type))
    assert (await client.send(wire(answer=kind, operation=CHAT))).body == body
    assert (await client.send(wire(operation=CHAT), answer=kind)).body == body


@pytest.mark.parametrize(
    ("content", "content_type", "body"),
    [(b'{"a":1}', "", {"a": 1}), (b"hi", "text/plain", "hi"), (b"\x00", "image/png", b"\x00"), (b"", "", None)],
)
async def test_a_raw_request_takes_what_comes(make_client, wire, content, content_type, body):
    outcome = await make_client(reply(content, content_type=content_type)).send(wire())
    assert (outcome.state, outcome.body) == (State.DONE, body)


async def test_no_content_is_done(make_client, wire):
    outcome = await make_client(reply(b"", 204)).send(wire(operation=CHAT))
    assert (outcome.state, outcome.body) == (State.DONE, None)


@pytest.mark.parametrize(
    ("effect", "body", "state"),
    [
        ("opaque", {"error": {"message": "broke", "code": "server_error"}}, State.REFUSED),
        ("none", {"error": "broke"}, State.REFUSED),
        ("opaque", {"id": "resp_1", "object": "response", "error": {"message": "broke"}}, State.REFUSED),
        ("none", {"id": "job_1", "object": "fine_tuning.job", "error": {"message": "broke"}}, State.DONE),
        ("opaque", {"id": "job_1", "object": "fine_tuning.job", "error": {"message": None}}, State.DONE),
        ("opaque", {"id": "run_1", "object": "eval.run", "error": {"code": "", "message": ""}}, State.DONE),
        ("opaque", {"id": "resp_1", "error": None}, State.DONE),
        ("opaque", {"error": {}}, State.DONE),
    ],
)
async def test_a_success_that_carries_an_error(make_client, wire, effect, body, state):
    outcome = await make_client(reply(orjson.dumps(body))).send(wire(effect), retries=0)
    assert outcome.state is state
    assert ("broke" in outcome.reason) is (state is State.REFUSED)


@pytest.mark.parametrize(
    ("content", "content_type", "reason"),
    [
        (
            b'{"error":{"message":"No such model","type":"invalid_request_error","code":"model_not_found"}}',
            "",
            "No such model [model_not_found]",
        ),
        (b'{"error":"plain words"}', "application/json", "plain words"),
        (b'{"detail":"Not Found"}', "application/json", "Not Found"),
        (b'{"message":"gateway words"}', "application/json", "gateway words"),
        (b"just text", "text/plain", "just text"),
        (b"<html><h1>Bad Gateway</h1>", "text/html", "the server does not say why"),
        (b"", "", "the server does not say why"),
        (b"[]", "application/json", "the server does not say why"),
        (b'{"error":{"message":{"odd":1}}}', "application/json", "the server does not say why"),
    ],
)  # fmt: skip
async def test_errors_of_every_shape_are_told(make_client, wire, content, content_type, reason):
    outcome = await make_client(reply(content, 400, content_type=content_type)).send(wire(operation=CHAT))
    assert outcome.state is State.REFUSED
    assert outcome.reason == f"{reason}; change the request"


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "deflate", "raw deflate", "identity"])
async def test_compressed_answers(make_client, wire, encoding):
    data = orjson.dumps({"text": "parcel " * 1000})
    raw = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = {
        "gzip": gzip.compress(data), "x-gzip": gzip.compress(data), "deflate": zlib.compress(data),
        "raw deflate": raw.compress(data) + raw.flush(), "identity": data,
    }[encoding]  # fmt: skip

    def upstream(request: httpx.Request) -> httpx.Response:
        assert request.headers["accept-encoding"] == "gzip, deflate"
        return httpx.Response(200, stream=Raw(packed), headers={"content-encoding": encoding.split()[-1]})

    outcome = await make_client(upstream).send(wire(operation=CHAT))
    assert outcome.body == {"text": "parcel " * 1000}


class Raw(httpx.AsyncByteStream):
    """Bytes in small pieces, which httpx does not unpack itself."""

    def __init__(self, data: bytes, size: int = 1000) -> None:
        self.data = data
        self.size = size

    async def __aiter__(self):
        for at in range(0, len(self.data), self.size):
            yield self.data[at : at + self.size]


def packed(data: bytes, encoding: str = "gzip"):
    return lambda request: httpx.Response(200, stream=Raw(data), headers={"content-encoding": encoding})


@pytest.mark.parametrize(
    ("data", "encoding", "reason"),
    [
        (gzip.compress(bytes(30_000_000), mtime=0), "gzip", "200 times its size"),
        (gzip.compress(b'{"a": 1}' * 999, mtime=0)[:-20], "gzip", "ends too early"),
        (b"not gzip at all", "gzip", "corrupt"),
        (b"?", "br", "was not asked for"),
    ],
)
async def test_bombs_and_broken_compression_are_stopped(make_client, wire, data, encoding, reason):
    outcome = await make_client(packed(data, encoding)).send(wire("none", operation=CHAT))
    assert outcome.state is State.UNKNOWN
    assert reason in outcome.reason
    assert len(outcome.attempts) == 1


async def test_a_bomb_in_a_refusal_does_not_hide_the_status(make_client, wire):
    def upstream(request: httpx.Request) -> httpx.Response:
        bomb = Raw(gzip.compress(bytes(30_000_000)))
        return httpx.Response(400, stream=bomb, headers={"content-encoding": "gzip"})

    outcome = await make_client(upstream).send(wire())
    assert (outcome.state, outcome.status, outcome.body) == (State.REFUSED, 400, None)


async def test_an_answer_is_bounded_in_memory(make_client, wire):
    outcome = await make_client(reply(b"[" + b"1," * 2000 + b"1]"), max_answer_bytes=2000).send(wire())
    assert outcome.state is State.UNKNOWN
    assert "larger than 2000 bytes (max_answer_bytes)" in outcome.reason


async def test_an_answer_goes_straight_to_a_file(make_client, wire, tmp_path):
    target = tmp_path / "speech.mp3"
    target.write_bytes(b"old")
    client = make_client(reply(b"\x00\xff" * 5000, content_type="audio/mpeg"), max_answer_bytes=1024)
    outcome = await client.send(wire(answer="binary"), to=target)
    assert outcome.body == {"file": str(target), "bytes": 10_000, "content_type": "audio/mpeg"}
    assert target.read_bytes() == b"\x00\xff" * 5000
    assert [path.name for path in tmp_path.iterdir()] == ["speech.mp3"]


@pytest.mark.parametrize("options", [{"max_file_bytes": 1024}, {}])
async def test_a_file_is_replaced_by_a_whole_answer_only(make_client, wire, tmp_path, options):
    target = tmp_path / "speech.mp3"
    target.write_bytes(b"old")
    upstream = reply(bytes(5000)) if options else packed(gzip.compress(bytes(5000))[:-3])
    outcome = await make_client(upstream, **options).send(wire(answer="binary"), to=target)
    assert outcome.state is State.UNKNOWN
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["speech.mp3"]


async def test_a_refusal_is_not_written_to_the_file(make_client, wire, tmp_path):
    outcome = await make_client(reply(b'{"error":{"message":"no"}}', 404)).send(wire(), to=tmp_path / "a")
    assert outcome.body == {"error": {"message": "no"}}
    assert list(tmp_path.iterdir()) == []


async def test_a_folder_that_is_not_there_is_found_before_sending(make_client, wire, answers, tmp_path):
    upstream = answers()
    with pytest.raises(ConfigurationError, match="no folder"):
        await make_client(upstream).send(wire(), to=tmp_path / "missing" / "a")


async def test_a_disk_that_cannot_take_the_answer_is_told(make_client, wire, tmp_path):
    folder = tmp_path / "taken"
    folder.mkdir()
    outcome = await make_client(reply(b"abc")).send(wire("none"), to=folder)
    assert outcome.state is State.UNKNOWN
    assert "could not be written" in outcome.reason
    assert list(tmp_path.iterdir()) == [folder]
