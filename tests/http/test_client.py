"""A client from a named operation to its outcome, through the transport seam."""

from __future__ import annotations

import logging
from array import array
from base64 import b64encode

import httpx
import orjson
import pytest
import respx

from connector.errors import ConfigurationError
from connector.model import InvalidRequest, State
from connector.request import ChangedFile

CHAT = {"model": "gpt-5", "messages": [{"role": "user", "content": "hi"}]}


async def test_respx_reaches_a_client_through_the_seam(make_client):
    router = respx.Router()
    route = router.post("https://api.openai.com/v1/chat/completions", json=CHAT).respond(json={"id": "x"})
    client = make_client(transport=httpx.MockTransport(router.async_handler))
    outcome = await client.send(client.prepare("chat completions create", {"payload": CHAT}))
    assert (outcome.state, outcome.body, route.call_count) == (State.DONE, {"id": "x"}, 1)
    headers = route.calls.last.request.headers
    assert headers["user-agent"].startswith("openai-connector/")
    assert headers["content-type"] == "application/json"


async def test_respx_can_break_things(make_client):
    router = respx.Router()
    router.get("https://api.openai.com/v1/models").mock(
        side_effect=[httpx.ConnectError("x"), httpx.Response(200, json={})]
    )
    client = make_client(transport=httpx.MockTransport(router.async_handler))
    outcome = await client.send(client.prepare("models list"))
    assert [attempt.state for attempt in outcome.attempts] == [State.NOT_SENT, State.DONE]


def test_an_invalid_request_raises(make_client):
    with pytest.raises(InvalidRequest, match=r"payload\.messages"):
        make_client().prepare("chat completions create", {"payload": {"model": "gpt-5"}})


def test_how_hard_requests_are_checked_can_be_set(make_client):
    odd = {"payload": {**CHAT, "temprature": 1}}
    with pytest.raises(InvalidRequest, match="temprature"):
        make_client().prepare("chat completions create", odd)
    wire = make_client(validate="known").prepare("chat completions create", odd)
    assert any("temprature" in str(warning) for warning in wire.warnings)
    assert make_client().prepare("chat completions create", odd, validate="off").body is not None


def packed(*floats: float) -> str:
    return b64encode(array("f", floats).tobytes()).decode()


def embedded(request: httpx.Request) -> httpx.Response:
    wants = orjson.loads(request.content).get("encoding_format")
    embedding = packed(0.5, -2.0) if wants == "base64" else [0.5, -2.0]
    return httpx.Response(200, json={"object": "list", "data": [{"index": 0, "embedding": embedding}]})


@pytest.mark.parametrize(
    ("given", "option", "on_the_wire", "body"),
    [
        ({}, "base64", "base64", [0.5, -2.0]),
        ({}, "float", None, [0.5, -2.0]),
        ({"encoding_format": "float"}, "base64", "float", [0.5, -2.0]),
        ({"encoding_format": "base64"}, "base64", "base64", packed(0.5, -2.0)),
    ],
)
async def test_embeddings_come_back_as_asked(make_client, given, option, on_the_wire, body):
    client = make_client(embedded, embeddings=option)
    wire = client.prepare("embeddings create", {"payload": {"model": "m", "input": "x", **given}})
    assert orjson.loads(wire.body.data).get("encoding_format") == on_the_wire
    assert (await client.send(wire)).body["data"][0]["embedding"] == body


def test_an_explanation_says_what_the_client_added(make_client):
    client = make_client()
    shown = client.explain(client.prepare("embeddings create", {"payload": {"model": "m", "input": "x"}})).as_document()
    assert shown["url"] == "https://api.openai.com/v1/embeddings"
    assert shown["body"]["encoding_format"] == "base64"
    assert shown["origins"]["payload.encoding_format"] == "client parameter embeddings"
    assert "canary" not in str(shown)


def test_an_explanation_says_what_gave_each_header(make_client):
    client = make_client(
        token=None, organization="org-9", headers={"X-Team": "a"}, environ={"OPENAI_API_KEY": "sk-env-123456"}
    )  # fmt: skip
    origins = client.explain(client.prepare("models list")).as_document()["origins"]
    assert origins["headers.authorization"] == "client parameter token (environment OPENAI_API_KEY)"
    assert origins["headers.openai-organization"] == "client parameter organization"
    assert origins["headers.x-team"] == "client parameter headers"


def test_an_explanation_needs_no_key_but_says_that_one_is_missing(make_client):
    client = make_client(token=None)
    shown = client.explain(client.prepare("models list")).as_document()
    assert "authorization" not in shown["headers"]
    assert shown["origins"]["headers.authorization"] == (
        "missing: models list needs a key: set OPENAI_API_KEY or give token or identity"
    )  # fmt: skip


def test_an_explanation_is_what_is_sent(make_client, answers):
    client = make_client()
    wire = client.prepare("chat completions create", {"payload": CHAT, "headers": {"X-Mine": "1"}})
    call = client._calls.build(wire)
    shown = client.explain(wire)
    assert shown.url == str(call.url)
    assert set(shown.headers) == set(dict(call.headers))
    assert shown.headers["x-mine"] == "1"
    assert "$OPENAI_API_KEY" in shown.as_curl()


async def test_a_raw_call_repeats_the_base_path_or_not(make_client, answers):
    upstream = answers(*[httpx.Response(200, json={})] * 2)
    client = make_client(upstream)
    for path in ("/v1/models", "/models"):
        await client.send(client.prepare_raw("GET", path))
    assert [str(request.url) for request in upstream.requests] == ["https://api.openai.com/v1/models"] * 2


async def test_one_line_a_call_is_logged(make_client, wire, caplog):
    caplog.set_level(logging.DEBUG, "connector.http")
    client = make_client(lambda request: httpx.Response(200, json={}, headers={"x-request-id": "req_9"}))
    await client.send(wire())
    assert [record.getMessage() for record in caplog.records] == [
        "POST /things 200 done in 0.000 s, request req_9"
    ]  # fmt: skip


async def test_logging_can_be_full_or_none(make_client, wire, caplog):
    caplog.set_level(logging.DEBUG, "connector.http")
    handler = lambda request: httpx.Response(200, json={"seen": 1})  # noqa: E731
    await make_client(handler, logging="none").send(wire())
    assert caplog.records == []
    await make_client(handler, logging="full").send(wire(headers={"x-mine": "1"}))
    text = caplog.text
    assert "x-mine: 1" in text
    assert "authorization: ***" in text.replace("Bearer ", "")
    assert '{"a":1}' in text
    assert "seen" in text


async def test_the_callers_headers_win(make_client, wire, answers):
    upstream = answers(httpx.Response(200, json={}))
    client = make_client(upstream, headers={"X-Team": "a", "X-Shift": "night"}, organization="org-1")
    await client.send(wire(headers={"x-team": "b", "openai-organization": "org-2"}))
    headers = upstream.requests[0].headers
    assert (headers["x-team"], headers["x-shift"], headers["openai-organization"]) == ("b", "night", "org-2")


async def test_a_closed_client_says_so(make_client, wire):
    client = make_client(lambda request: httpx.Response(200, json={}))
    await client.close()
    with pytest.raises(ConfigurationError, match="closed"):
        await client.send(wire())


class Failing:
    """A file that cannot be read to its end."""

    content_type = "application/octet-stream"
    length = 100

    def __init__(self, failure: Exception) -> None:
        self.failure = failure

    async def chunks(self):
        yield b"x"
        raise self.failure


async def test_a_body_that_cannot_be_read_ends_the_call(make_client, wire):
    client = make_client(lambda request: httpx.Response(200, json={}))
    outcome = await client.send(wire("idempotent", method="POST", body=Failing(OSError(5, "Input/output error"))))
    assert (outcome.state, len(outcome.attempts)) == (State.UNKNOWN, 1)
    assert "could not be read: Input/output error" in outcome.reason


async def test_a_body_that_has_changed_raises(make_client, wire):
    client = make_client(lambda request: httpx.Response(200, json={}))
    with pytest.raises(ChangedFile):
        await client.send(wire(body=Failing(ChangedFile("a.txt changed"))))


async def test_cookies_are_not_kept(make_client, wire):
    client = make_client(lambda request: httpx.Response(200, json={}, headers=[("set-cookie", "a=b"), ("x-a", "1")]))
    headers = (await client.send(wire())).headers
    assert "set-cookie" not in headers
    assert headers["x-a"] == "1"


async def test_attempts_are_told_with_their_reasons(make_client, wire, answers):
    upstream = answers(httpx.ConnectError("gone"), httpx.Response(500, json={}), httpx.Response(200, json={}))
    outcome = await make_client(upstream).send(wire("none"))
    assert [(a.state, a.status, a.reason, a.waited) for a in outcome.attempts] == [
        (State.NOT_SENT, None, "gone", 0.0),
        (State.REFUSED, 500, "the server does not say why", 0.5),
        (State.DONE, 200, "", 1.0),
    ]
