"""What a forwarded call used counts against its client's tokens a minute."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiohttp import web

from connector.gateway.usage_reader import UsageReader
from connector.model import members
from connector.model_registry import default_registry
from connector.telemetry.costs import Prices

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
    assert client._retrier.pacer._rate._tokens._left < 1000 - 500


@pytest.mark.parametrize(("region", "factor"), [("", 1.0), ("eu", 1.1)])
async def test_a_call_to_a_region_costs_a_tenth_more(
    start: Any, upstream: Any, monkeypatch: pytest.MonkeyPatch, region: str, factor: float
) -> None:
    """Upstream is on this machine, whose address no region has: what tells regions is replaced."""
    monkeypatch.setattr("connector.http.client.find_region", lambda _: region)

    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        usage = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
        return web.json_response({**ANSWER, "model": "gpt-6.1-terra", "usage": usage})

    upstream.handler = answer
    gateway = await start(token={"budget": {"amount": 5, "every": "day"}})
    assert (await gateway.chat(payload={"model": "gpt-6.1-terra", "max_completion_tokens": 100})).status_code == 200
    ((_, _, _, sums),) = gateway.listening.gateway.counters.rows()
    assert sums.cost == pytest.approx(0.0015 * factor)
    assert gateway.listening.gateway.callers.find("bot").quota.spending.amount == pytest.approx(0.0015 * factor)


@pytest.mark.parametrize("size", [7, 1000, 100_000])
def test_what_has_a_price_of_its_own_is_found_in_an_answer_that_is_too_large_to_be_kept(size: int) -> None:
    answer = {
        "id": "resp_1",
        "object": "response",
        "model": "gpt-6.1-terra",
        "background_options": {"completion_window": "8h"},
        "prompt_cache_options": {"mode": "implicit", "ttl": "12h"},
        "output": [
            {"type": "web_search_call", "id": "ws_1"},
            {"type": "message", "content": [{"text": '"type":"web_search_call" ' + "x" * 90_000}]},
            {"type": "web_search_call", "id": "ws_2"},
            {"type": "file_search_call", "id": "fs_1"},
        ],
        "service_tier": "default",
        "usage": {"input_tokens": 2000, "input_tokens_details": {"cache_write_tokens": 1024}, "output_tokens": 10},
    }
    data, reader = json.dumps(answer).encode(), UsageReader("application/json")
    for begin in range(0, len(data), size):
        reader.feed(data[begin : begin + size])
    found = members(reader.read_answer(is_complete=True))
    prices = Prices({}, registry=default_registry())
    assert prices.read_cost(found) == prices.read_cost(answer)
    assert prices.read_cost(found).usage.web_searches == 2
