"""A call through the gateway: what goes on, what comes back, and what is told when neither is sure."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest
from aiohttp import web

from connector.config.models.gateway import hash_token
from connector.gateway.connection import Timeouts
from tests.gateway.conftest import CHAT, KEY, TOKEN


async def test_a_call_goes_on_with_the_clients_credentials(start, upstream):
    gateway = await start(gateway={"headers": ["X-App"], "tokens": {"bot": {"hash": hash_token(TOKEN)}}})
    answer = await gateway.chat(headers={"OpenAI-Organization": "theirs", "OpenAI-Project": "theirs", "X-App": "kept"})
    assert (answer.status_code, answer.json()) == (200, CHAT)
    seen = upstream.seen[0]
    assert seen.target == "/v1/chat/completions"
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    assert "openai-organization" not in seen.headers
    assert "openai-project" not in seen.headers
    assert seen.headers["x-app"] == "kept"
    assert json.loads(seen.body)["model"] == "gpt-5"
    assert TOKEN not in str(seen)


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/openai/v1/models?limit=2&after=a%20b", "/v1/models?limit=2&after=a%20b"),
        ("/v1/apis/http/openai/models", "/v1/models"),
        ("/v1/apis/http/openai/v1/models", "/v1/models"),
        ("/openai/v1/models/ft:gpt-5:acme::abc", "/v1/models/ft:gpt-5:acme::abc"),
        ("/openai/v1/models/%67pt-5", "/v1/models/gpt-5"),
    ],
)
async def test_both_forms_of_address_lead_to_the_client(start, upstream, path, target):
    gateway = await start()
    assert (await gateway.get(path)).status_code == 200
    assert upstream.seen[0].target == target


async def test_headers_of_one_connection_stay_there_both_ways(start, upstream):
    async def answered(request: web.BaseRequest) -> web.StreamResponse:
        upstream.handler = None
        await upstream(request)
        return web.json_response({}, headers={
            "Connection": "X-Private", "X-Private": "secret", "Keep-Alive": "timeout=9", "Set-Cookie": "a=b",
            "Access-Control-Allow-Origin": "*", "Strict-Transport-Security": "max-age=9", "Alt-Svc": "h3",
            "x-request-id": "req_9", "retry-after": "3", "x-ratelimit-remaining-requests": "41",
        })  # fmt: skip

    upstream.handler = answered
    gateway = await start()
    answer = await gateway.get("/openai/v1/models", headers={
        "Connection": "X-Mine", "X-Mine": "1", "TE": "trailers", "Proxy-Authorization": "x", "Forwarded": "for=me",
        "X-Forwarded-For": "me", "Cookie": "c=d",
    })  # fmt: skip
    gone = ("x-mine", "te", "proxy-authorization", "forwarded", "x-forwarded-for", "cookie")
    assert not [name for name in gone if name in upstream.seen[0].headers]
    hidden = (
        "x-private", "keep-alive", "set-cookie", "access-control-allow-origin", "strict-transport-security", "alt-svc",
    )  # fmt: skip
    assert not [name for name in hidden if name in answer.headers]
    assert answer.headers["x-request-id"] == "req_9"
    assert answer.headers["retry-after"] == "3"
    assert answer.headers["x-ratelimit-remaining-requests"] == "41"


async def test_a_stream_comes_as_it_is_made(start, upstream):
    go_on = asyncio.Event()

    async def streams(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b'data: {"n": 1}\n\n')
        await go_on.wait()
        await response.write(b"data: [DONE]\n\n")
        return response

    upstream.handler = streams
    gateway = await start()
    headers = {"Authorization": f"Bearer {TOKEN}"}
    url = f"{gateway.url}/openai/v1/chat/completions"
    async with gateway.http.stream("POST", url, json={"model": "m", "stream": True}, headers=headers) as answer:
        pieces = answer.aiter_raw()
        assert await anext(pieces) == b'data: {"n": 1}\n\n'
        go_on.set()
        assert await anext(pieces) == b"data: [DONE]\n\n"
        assert answer.headers["content-type"] == "text/event-stream"


async def test_an_upload_goes_on_while_it_comes(start, upstream):
    first = asyncio.Event()
    seen: list[int] = []

    async def takes(request: web.BaseRequest) -> web.StreamResponse:
        async for piece in request.content.iter_any():
            seen.append(len(piece))
            first.set()
        return web.json_response({"bytes": sum(seen)})

    upstream.handler = takes
    gateway = await start()

    async def pieces():
        yield b"a" * 100_000
        await first.wait()  # nothing more is sent until upstream has seen the beginning
        yield b"b" * 50_000

    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "multipart/form-data; boundary=x"}
    answer = await gateway.http.post(f"{gateway.url}/openai/v1/files", content=pieces(), headers=headers)
    assert answer.json() == {"bytes": 150_000}


async def test_binary_answers_are_what_they_were(start, upstream):
    data = bytes(range(256)) * 4096

    async def speaks(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=data, content_type="audio/mpeg")

    upstream.handler = speaks
    gateway = await start()
    answer = await gateway.chat(path="/openai/v1/audio/speech")
    assert answer.content == data
    assert answer.headers["content-length"] == str(len(data))


@pytest.mark.parametrize(("method", "again"), [("POST", "false"), ("GET", "true")])
async def test_an_unknown_outcome_is_told_and_never_repeated(start, upstream, method, again):
    calls = 0

    async def hangs_up(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal calls
        calls += 1
        request.transport.close()
        return web.Response()

    upstream.handler = hangs_up
    gateway = await start()
    answer = await (gateway.chat() if method == "POST" else gateway.get("/openai/v1/models"))
    assert answer.status_code == 502
    assert answer.json()["error"]["code"] == "unknown"
    assert "without a complete answer" in answer.json()["error"]["message"]
    assert answer.headers["x-connector-state"] == "unknown"
    assert "without a complete answer" in answer.headers["x-connector-evidence"]
    assert answer.headers["x-should-retry"] == again
    assert calls == 1


async def test_an_answer_that_takes_all_its_time_is_a_time_out(start, upstream):
    never = asyncio.Event()

    async def waits(request: web.BaseRequest) -> web.StreamResponse:
        await never.wait()
        return web.Response()

    upstream.handler = waits
    gateway = await start(parameters={"timeouts": {"total": 0.2}})
    answer = await gateway.chat()
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "unknown")
    assert "0.2 seconds" in answer.headers["x-connector-evidence"]


async def test_what_was_not_sent_may_be_sent_again(start, upstream):
    gateway = await start(parameters={"base_uri": "http://127.0.0.1:1/v1", "retry": {"max_retries": 0}})
    answer = await gateway.chat()
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "not_sent")
    assert answer.headers["x-connector-state"] == "not_sent"
    assert answer.headers["x-should-retry"] == "true"


async def test_a_stream_that_breaks_off_ends_in_an_error_and_no_end(start, upstream):
    async def breaks(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b'data: {"n": 1}\n\n')
        request.transport.close()
        return response

    upstream.handler = breaks
    gateway = await start()
    seen: list[bytes] = []

    async def read() -> None:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        url = f"{gateway.url}/openai/v1/chat/completions"
        async with gateway.http.stream("POST", url, json={"model": "m"}, headers=headers) as answer:
            async for piece in answer.aiter_raw():
                seen.append(piece)  # noqa: PERF401  what came before it broke off is what is looked at

    with pytest.raises(httpx.RemoteProtocolError):  # the body has no end
        await read()
    told = b"".join(seen)
    assert told.startswith(b'data: {"n": 1}\n\n\n\nevent: error\ndata: ')
    assert b'"code":"unknown"' in told


async def test_a_binary_that_breaks_off_is_not_whole(start, upstream):
    async def breaks(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"half")
        request.transport.close()
        return response

    upstream.handler = breaks
    gateway = await start()
    with pytest.raises(httpx.RemoteProtocolError):
        await gateway.get("/openai/v1/files/file-1/content")


async def test_refusals_are_passed_on_but_for_those_that_are_not_the_callers(start, upstream):
    status = 400

    async def refuses(request: web.BaseRequest) -> web.StreamResponse:
        body = {"error": {"message": f"wrong; you sent {request.headers['authorization']}", "code": "x"}}
        return web.json_response(body, status=status, headers={"x-request-id": "req_2"})

    upstream.handler = refuses
    gateway = await start()
    answer = await gateway.chat()
    assert (answer.status_code, answer.headers["x-request-id"]) == (400, "req_2")
    assert KEY not in answer.text
    status = 401
    answer = await gateway.chat()
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "client_refused")
    assert KEY not in answer.text


async def test_a_paused_client_is_a_503_with_the_reason(start, upstream):
    async def refuses(request: web.BaseRequest) -> web.StreamResponse:
        return web.json_response({"error": {"message": "no money", "code": "insufficient_quota"}}, status=429)

    upstream.handler = refuses
    gateway = await start()
    assert (await gateway.chat()).status_code == 429
    answer = await gateway.chat()
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "client_paused")
    assert "no money" in answer.json()["error"]["message"]
    assert answer.headers["x-should-retry"] == "false"


async def test_redirects_are_not_followed_and_not_passed_on(start, upstream):
    async def elsewhere(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": "https://evil.example/"})

    upstream.handler = elsewhere
    gateway = await start()
    answer = await gateway.chat()
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "redirected")
    assert "location" not in answer.headers


async def test_a_missing_key_is_told_without_calling(start, upstream):
    gateway = await start(clients={"other": {"prototype": "openai", "parameters": {"token": "${NOT_SET:-}"}}})
    answer = await gateway.chat(path="/other/v1/chat/completions")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "client_not_ready")
    assert "OPENAI_API_KEY" in answer.json()["error"]["message"]


async def test_azures_deployment_is_found_in_the_body(start, upstream):
    azure = {"prototype": "azure-openai", "parameters": {
        "endpoint": upstream.url, "api_key": "azure-key", "api_version": "2024-10-21"}}  # fmt: skip
    gateway = await start(clients={"azure": azure})
    answer = await gateway.chat(path="/azure/v1/chat/completions")
    assert answer.status_code == 200
    assert upstream.seen[0].target == "/openai/deployments/gpt-5/chat/completions?api-version=2024-10-21"
    assert upstream.seen[0].headers["api-key"] == "azure-key"
    form = {"model": (None, "whisper"), "file": ("a.mp3", b"ID3")}
    headers = {"api-key": TOKEN}
    await gateway.http.post(f"{gateway.url}/azure/v1/audio/transcriptions", files=form, headers=headers)
    assert upstream.seen[1].target.startswith("/openai/deployments/whisper/audio/transcriptions?")
    answer = await gateway.chat(path="/azure/v1/chat/completions", payload={"model": None})
    assert answer.status_code == 400
    assert "payload.model" in answer.json()["error"]["message"]


async def test_calls_of_a_caller_who_left_are_given_up(start, upstream):
    gave_up = asyncio.Event()

    async def waits(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x" * 1000)
                await asyncio.sleep(0.01)
        except (ConnectionError, asyncio.CancelledError):
            gave_up.set()
            raise

    upstream.handler = waits
    gateway = await start()
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with gateway.http.stream("GET", f"{gateway.url}/openai/v1/files/f/content", headers=headers) as answer:
        assert await anext(answer.aiter_raw())
    async with asyncio.timeout(30):
        await gave_up.wait()
    assert gateway.listening.gateway.in_flight == 0


async def test_a_head_has_no_body(start, upstream):
    gateway = await start()
    answer = await gateway.http.head(f"{gateway.url}/openai/v1/models", headers={"Authorization": f"Bearer {TOKEN}"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert upstream.seen[0].method == "HEAD"


async def test_old_http_gets_a_body_that_ends_with_the_connection(start, upstream):
    async def chunked(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"whole")
        return response

    upstream.handler = chunked
    gateway = await start()
    line = f"GET /openai/v1/models HTTP/1.0\r\nHost: localhost:{gateway.port}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    head, _, body = (await gateway.raw(line.encode())).partition(b"\r\n\r\n")
    assert body == b"whole"
    assert b"transfer-encoding" not in head.lower()


async def test_a_body_is_asked_for_only_when_it_may_come(start, upstream):
    gateway = await start(options={"timeouts": Timeouts(linger=0.05)})
    expecting = f"Host: localhost:{gateway.port}\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n"
    head = f"POST /openai/v1/responses HTTP/1.1\r\n{expecting}Authorization: Bearer {TOKEN}\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(head.encode())
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(b"{}")
    assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
    writer.close()
    answer = await gateway.raw(f"POST /openai/v1/responses HTTP/1.1\r\n{expecting}\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 401 ")
