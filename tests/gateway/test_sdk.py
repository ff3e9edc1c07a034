"""The official SDK calls through the gateway and sees no difference."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import openai
import pytest
from aiohttp import web

from tests.gateway.conftest import CHAT, KEY, TOKEN

WORDS = ["Good", " morning", "!"]


async def answers(request: web.BaseRequest) -> web.StreamResponse:
    assert request.headers["authorization"] == f"Bearer {KEY}"
    path = request.path
    data = await request.read()
    if path.endswith("/files"):
        assert b'filename="tickets.jsonl"' in data
        return web.json_response({"id": "file-1", "object": "file", "bytes": len(data), "purpose": "batch"})
    if path.endswith("/content"):
        return web.Response(body=b"\x00\x01" * 200_000, content_type="application/octet-stream")
    if path.endswith("/models/gone"):
        error = {"message": "no such model", "type": "invalid_request_error", "code": "model_not_found", "param": None}
        return web.json_response({"error": error}, status=404, headers={"x-request-id": "req_7"})
    if not json.loads(data).get("stream"):
        return web.json_response(CHAT, headers={"x-request-id": "req_1"})
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for word in WORDS:
        chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-5",
                 "choices": [{"index": 0, "delta": {"content": word}}]}  # fmt: skip
        await response.write(f"data: {json.dumps(chunk)}\n\n".encode())
    await response.write(b"data: [DONE]\n\n")
    return response


@pytest.fixture
async def sdk(start, upstream) -> AsyncIterator[openai.AsyncOpenAI]:
    upstream.handler = answers
    gateway = await start()
    async with openai.AsyncOpenAI(base_url=f"{gateway.url}/openai/v1", api_key=TOKEN, max_retries=0) as client:
        yield client


MESSAGES = [{"role": "user", "content": "hi"}]


async def test_json(sdk):
    completion = await sdk.chat.completions.create(model="gpt-5", messages=MESSAGES)
    assert completion.choices[0].message.content == "hello"
    assert completion._request_id == "req_1"


async def test_streams(sdk):
    stream = await sdk.chat.completions.create(model="gpt-5", messages=MESSAGES, stream=True)
    assert [chunk.choices[0].delta.content async for chunk in stream] == WORDS


async def test_uploads(sdk):
    file = await sdk.files.create(file=("tickets.jsonl", b"{}\n" * 100_000), purpose="batch")
    assert file.id == "file-1"
    assert file.bytes > 300_000


async def test_binaries(sdk):
    content = await sdk.files.content("file-1")
    assert content.content == b"\x00\x01" * 200_000


async def test_errors_of_the_api(sdk):
    with pytest.raises(openai.NotFoundError) as caught:
        await sdk.models.retrieve("gone")
    assert (caught.value.code, caught.value.request_id) == ("model_not_found", "req_7")


async def test_errors_of_the_gateway(sdk):
    with pytest.raises(openai.AuthenticationError, match="no gateway token"):
        await sdk.with_options(api_key="wrong").models.list()


async def test_an_unknown_outcome_is_not_repeated_by_the_sdk(start, upstream):
    calls = 0

    async def hangs_up(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal calls
        calls += 1
        request.transport.close()
        return web.Response()

    upstream.handler = hangs_up
    gateway = await start()
    async with openai.AsyncOpenAI(base_url=f"{gateway.url}/openai/v1", api_key=TOKEN, max_retries=2) as client:
        with pytest.raises(openai.InternalServerError) as caught:
            await client.chat.completions.create(model="gpt-5", messages=MESSAGES)
    assert caught.value.code == "unknown"
    assert calls == 1
