"""What a forwarded call used counts against its client's tokens a minute."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

ANSWER = {"id": "c", "object": "chat.completion", "choices": [], "usage": {"prompt_tokens": 600, "total_tokens": 610}}


@pytest.mark.parametrize("is_stream", [False, True])
async def test_usage_corrects_the_pace_of_the_client(start: Any, upstream: Any, is_stream: bool) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        if not is_stream:
            return web.json_response(ANSWER)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b'data: {"choices":[],"usage":{"total_tokens":610}}\n\ndata: [DONE]\n\n')
        return response

    upstream.handler = answer
    gateway = await start(parameters={"limits": {"tokens_per_minute": 60_000}})
    assert (await gateway.chat()).status_code == 200
    client = gateway.listening._runtime.client("openai")
    # One second's worth is 1,000 tokens, and fills again while the test runs.
    assert client._retrier.pacer._tokens._left < 1000 - 500
