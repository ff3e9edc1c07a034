"""Requests and tokens a minute, budgets, and what is counted."""

from __future__ import annotations

import asyncio
import json

import pytest
from aiohttp import web

from connector.config.models.gateway import hash_token
from connector.config.models.measures import Budget
from connector.gateway.budget_file import BudgetFile
from connector.gateway.limits import Quota, Reservation, Spending
from connector.gateway.refusals import Refusal
from tests.gateway.conftest import CHAT, KEY, TOKEN

PRICES = {"gpt-5*": {"input": 1.0, "cached_input": 0.5, "output": 10.0}}
COST = (600 * 1.0 + 400 * 0.5 + 100 * 10.0) / 1_000_000


def quota(clock, **limits) -> Quota:
    return Quota("bot", clock=lambda: clock.seconds, now=lambda: clock.date, **limits)


def refused(found: Quota, estimate: int = 0) -> Refusal | None:
    try:
        found.admit()
        found.reserve(estimate)
    except Refusal as error:
        return error
    return None


def test_so_many_requests_a_minute(clock):
    found = quota(clock, requests=3)
    assert [refused(found) for _ in range(3)] == [None] * 3
    error = refused(found)
    assert error is not None
    assert (error.status, error.code) == (429, "rate_limit_exceeded")
    assert error.headers["Retry-After"] == "20"
    assert error.headers["x-ratelimit-limit-requests"] == "3"
    assert error.headers["x-ratelimit-remaining-requests"] == "0"
    assert error.headers["x-ratelimit-reset-requests"] == "20.000s"
    clock.move(20)
    assert refused(found) is None
    assert refused(found) is not None


def test_so_many_tokens_a_minute_estimated_and_then_known(clock):
    found = quota(clock, tokens=6000)
    assert refused(found, 1000) is None
    found.settle(Reservation(1000), 9000, 0)  # it was far more: the next ones wait
    error = refused(found, 10)
    assert error is not None
    assert error.headers["x-ratelimit-limit-tokens"] == "6000"
    assert refused(found) is None  # what reads nothing in is not held up
    clock.move(31)
    assert refused(found, 10) is None
    found.settle(Reservation(10), 0, 0)


def test_one_call_larger_than_a_minute_passes_when_nothing_else_did(clock):
    found = quota(clock, tokens=100)
    assert refused(found, 5000) is None
    assert refused(found, 1) is not None


@pytest.mark.parametrize(("every", "seconds"), [("hour", 3600), ("day", 86_400), ("month", 31 * 86_400)])
def test_a_budget_ends_with_its_period(clock, every, seconds):
    found = quota(clock, budget=Budget(amount=1.0, every=every))
    found.admit()
    found.settle(Reservation(), 5, 1.25)
    error = refused(found)
    assert error is not None
    assert (error.status, error.code, error.headers["x-should-retry"]) == (429, "insufficient_quota", "false")
    assert f"its 1 USD for this {every}" in str(error)
    wait = int(error.headers["Retry-After"])
    assert 0 < wait <= seconds
    clock.move(wait - 1)
    assert refused(found) is not None
    clock.move(1)
    assert refused(found) is None


def test_a_budget_of_tokens_and_one_that_only_watches(clock):
    found = quota(clock, budget=Budget(tokens=10, every="day"))
    found.settle(Reservation(), 10, 0)
    assert "10 tokens" in str(refused(found))
    shadow = quota(clock, budget=Budget(tokens=10, every="day", shadow=True))
    shadow.settle(Reservation(), 10, 0)
    assert refused(shadow) is None
    assert shadow.is_used_up


async def test_what_was_spent_outlives_a_restart(tmp_path, clock):
    file = tmp_path / ".gateway-spent.json"
    book = BudgetFile(file)
    spending = book.read({"bot": None})["bot"]
    found = quota(clock, budget=Budget(amount=1.0, every="month"), spending=spending)
    found.settle(Reservation(), 7, 0.75)
    await book.close()
    kept = BudgetFile(file).read({"bot": None, "new": None})
    assert kept == {"bot": Spending(spending.begun, 0.75, 7), "new": Spending()}


@pytest.mark.parametrize("text", ["", "[]", '{"bot": 1}', '{"bot": {"amount": "x"}}', "\0"])
def test_a_file_that_was_spoiled_is_begun_anew(tmp_path, text):
    file = tmp_path / "spent.json"
    file.write_text(text)
    assert BudgetFile(file).read({"bot": None}) == {"bot": Spending()}


async def test_a_folder_that_cannot_be_written_stops_nobody(tmp_path, caplog):
    book = BudgetFile(tmp_path / "missing" / "spent.json")
    book.read({"bot": None})
    for _ in range(2):
        book.pending.remove("openai", "resp_1")  # a change
        await book.close()
    assert caplog.text.count("kept in memory only") == 1


async def test_a_call_beyond_a_limit_never_reaches_upstream(start, upstream):
    gateway = await start({"requests_per_minute": 1})
    assert (await gateway.chat()).status_code == 200
    answer = await gateway.chat()
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    assert answer.headers["retry-after"] == "60"
    assert len(upstream.seen) == 1


async def test_a_budget_counts_what_answers_cost(start, upstream):
    gateway = await start({"budget": {"amount": 2 * COST, "every": "day"}}, prices=PRICES, currency="EUR")
    assert [(await gateway.chat()).status_code for _ in range(3)] == [200, 200, 429]
    assert len(upstream.seen) == 2


async def test_a_model_without_a_price_is_no_way_around_a_budget(start, upstream):
    gateway = await start({"budget": {"amount": 1, "every": "day"}}, prices=PRICES, currency="EUR")
    answer = await gateway.chat(payload={"model": "o9"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "no_price")
    assert "'o9'" in answer.json()["error"]["message"]
    assert upstream.seen == []
    assert (await gateway.get("/openai/v1/models")).status_code == 200


async def usage_of(gateway, token: str = TOKEN):
    return (await gateway.get("/usage", token=token)).json()["tokens"]


SUM = {
    "requests": 1, "input_tokens": 1000, "cached_input_tokens": 400, "output_tokens": 100, "estimated": 0,
    "unpriced": 0, "cost": COST, "currency": "EUR",
}  # fmt: skip


async def test_usage_is_shown_by_token_client_and_model(start):
    gateway = await start({"metrics": True, "budget": {"amount": 5, "every": "day"}}, prices=PRICES, currency="EUR")
    await gateway.chat()
    await gateway.get("/openai/v1/models")
    found = (await usage_of(gateway))["bot"]
    assert found["clients"]["openai"]["gpt-5"] == pytest.approx(SUM)
    assert found["clients"]["openai"][""]["requests"] == 1
    assert found["clients"]["openai"][""]["input_tokens"] == 0  # a list of models used nothing
    assert found["budget"]["spent"] == {"amount": pytest.approx(COST), "tokens": 1100}
    assert found["budget"]["currency"] == "EUR"


async def test_metrics_are_what_prometheus_reads(start):
    gateway = await start({"metrics": True, "budget": {"amount": 5, "every": "day"}}, prices=PRICES, currency="EUR")
    await gateway.chat()
    await gateway.get("/openai/v1/unknown")
    answer = await gateway.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert answer.headers["cache-control"] == "no-store"
    lines = answer.text.splitlines()
    assert "# HELP connector_gateway_cost_total Cost by the configured prices, in EUR." in lines
    whose = 'client="openai",model="gpt-5",token="bot"'
    assert 'connector_gateway_tokens_total{client="openai",kind="input",model="gpt-5",token="bot"} 1000.0' in lines
    assert any(line.startswith(f"connector_gateway_cost_total{{{whose}}} 0.0018") for line in lines)
    called = 'client="openai",operation="chat completions create",status="200",token="bot"'
    assert f"connector_gateway_calls_total{{{called}}} 1.0" in lines
    assert 'connector_gateway_refusals_total{code="not_allowed",token="bot"} 1.0' in lines
    assert 'connector_gateway_seconds_count{client="openai"} 1.0' in lines
    assert 'connector_gateway_budget_limit{token="bot",unit="money"} 5.0' in lines
    assert 'connector_gateway_budget_reserved{token="bot",unit="money"} 0.0' in lines
    assert "connector_gateway_in_flight 0.0" in lines


@pytest.mark.parametrize("page", ["/metrics", "/usage"])
async def test_counts_are_for_those_who_may_see_them(start, page):
    gateway = await start()
    assert (await gateway.get(page, token=None)).status_code == 401
    assert (await gateway.get(page)).status_code == 403
    assert (await gateway.http.post(f"{gateway.url}{page}")).status_code == 405
    assert (await gateway.get(page, headers={"Host": "evil"})).status_code == 421


def streamed(*events: str):
    async def answers(request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        for event in events:
            await response.write(f"data: {event}\n\n".encode())
        return response

    return answers


def event(**fields) -> str:
    return json.dumps({"object": "chat.completion.chunk", "model": "gpt-5", **fields}, separators=(",", ":"))


async def test_the_usage_of_a_stream_is_in_its_last_event(start, upstream):
    words = [event(choices=[{"delta": {"content": "a" * 1000}}], usage=None)] * 200
    upstream.handler = streamed(*words, event(choices=[], usage=CHAT["usage"]), "[DONE]")
    gateway = await start({"metrics": True}, prices=PRICES, currency="EUR")
    await gateway.chat(payload={"stream": True})
    assert (await usage_of(gateway))["bot"]["clients"]["openai"]["gpt-5"] == pytest.approx(SUM)


async def test_the_usage_of_a_response_stands_in_its_end(start, upstream):
    usage = {"input_tokens": 1000, "input_tokens_details": {"cached_tokens": 400}, "output_tokens": 100}
    whole = {"id": "resp_1", "model": "gpt-5", "output": ["x" * 200_000], "usage": usage, "service_tier": "flex"}
    started = json.dumps({"type": "response.created", "response": {"model": "gpt-5", "usage": None}})
    upstream.handler = streamed(started, json.dumps({"type": "response.completed", "response": whole}))
    gateway = await start({"metrics": True}, prices=PRICES, currency="EUR")
    await gateway.chat(path="/openai/v1/responses", payload={"stream": True})
    expected = {**SUM, "cost": COST / 2}
    assert (await usage_of(gateway))["bot"]["clients"]["openai"]["gpt-5"] == pytest.approx(expected)


async def test_the_usage_of_an_answer_too_large_to_keep_is_found_at_its_end(start, upstream):
    vectors = {"object": "list", "data": [{"embedding": "A" * 400_000}], "model": "text-embedding-3-small",
               "usage": {"prompt_tokens": 8, "total_tokens": 8}}  # fmt: skip

    async def answers(request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        return web.json_response(vectors)

    upstream.handler = answers
    gateway = await start({"metrics": True})
    await gateway.chat(path="/openai/v1/embeddings", payload={"model": "text-embedding-3-small", "input": "hi"})
    found = (await usage_of(gateway))["bot"]["clients"]["openai"]["text-embedding-3-small"]
    assert (found["input_tokens"], found["cost"], found["unpriced"]) == (8, pytest.approx(8 * 0.02 / 1e6), 0)


async def test_a_stream_that_does_not_tell_is_estimated(start, upstream):
    upstream.handler = streamed(*[event(choices=[])] * 50, "[DONE]")
    gateway = await start({"metrics": True, "tokens_per_minute": 100_000}, prices=PRICES, currency="EUR")
    await gateway.chat(payload={"stream": True, "messages": [{"role": "user", "content": "x" * 4000}]})
    found = (await usage_of(gateway))["bot"]["clients"]["openai"]["gpt-5"]
    assert found["estimated"] == 1
    assert found["output_tokens"] == 51
    assert 1000 <= found["input_tokens"] <= 1050


async def test_an_answer_that_is_read_again_is_not_counted_again(start, upstream):
    gateway = await start({"metrics": True}, prices=PRICES, currency="EUR")
    await gateway.get("/openai/v1/chat/completions/chatcmpl-1")
    assert (await usage_of(gateway))["bot"]["clients"]["openai"][""]["input_tokens"] == 0


async def test_an_answer_made_in_the_background_is_counted_once_to_whom_asked_for_it(start, upstream):
    whole = {"id": "resp_1", "object": "response", "model": "gpt-5", "status": "queued", "usage": None}

    async def answers(request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        done = {"status": "completed", "usage": {"input_tokens": 1000, "output_tokens": 100}}
        return web.json_response({**whole, **(done if request.method == "GET" else {})})

    upstream.handler = answers
    reader = {"hash": hash_token("gw-reader"), "metrics": True}
    tokens = {"bot": {"hash": hash_token(TOKEN), "budget": {"tokens": 1000, "every": "day"}}, "reader": reader}
    gateway = await start(gateway={"tokens": tokens})
    await gateway.chat(path="/openai/v1/responses", payload={"background": True, "input": "hi"})
    for _ in range(2):
        assert (await gateway.get("/openai/v1/responses/resp_1", token="gw-reader")).status_code == 200
    found = await usage_of(gateway, "gw-reader")
    assert found["bot"]["clients"]["openai"]["gpt-5"]["input_tokens"] == 1000
    assert found["reader"]["clients"]["openai"][""]["input_tokens"] == 0
    assert (await gateway.chat()).status_code == 429  # the budget is used up


async def test_a_caller_who_leaves_pays_for_what_was_made(start, upstream):
    gave_up = asyncio.Event()

    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        try:
            while True:
                await response.write(f"data: {event(choices=[])}\n\n".encode())
                await asyncio.sleep(0.001)
        except (ConnectionError, asyncio.CancelledError):
            gave_up.set()
            raise

    upstream.handler = endless
    gateway = await start({"metrics": True}, prices=PRICES, currency="EUR")
    url, headers = f"{gateway.url}/openai/v1/chat/completions", {"Authorization": f"Bearer {TOKEN}"}
    async with gateway.http.stream("POST", url, json={"model": "gpt-5", "stream": True}, headers=headers) as answer:
        pieces = answer.aiter_raw()
        await anext(pieces)
    async with asyncio.timeout(30):
        await gave_up.wait()
    found = (await usage_of(gateway))["bot"]["clients"]["openai"]["gpt-5"]
    assert found["estimated"] == 1
    assert found["output_tokens"] >= 1


async def test_refusals_cost_nothing(start, upstream):
    async def refuses(request: web.BaseRequest) -> web.StreamResponse:
        return web.json_response({"error": {"message": "no"}, "usage": CHAT["usage"]}, status=400)

    upstream.handler = refuses
    gateway = await start({"metrics": True, "budget": {"amount": 1e-9, "every": "day"}}, prices=PRICES, currency="EUR")
    assert [(await gateway.chat()).status_code for _ in range(2)] == [400, 400]


async def test_one_line_a_call_without_secrets_or_bodies(start, caplog):
    caplog.set_level("INFO", "connector.gateway")
    gateway = await start()
    await gateway.chat(payload={"messages": [{"role": "user", "content": "a private matter"}]})
    await gateway.get("/openai/v1/models?secret=in-the-query")
    await gateway.get(f"/openai/v1/models/{KEY}")
    await gateway.get("/openai/v1/models", token="gw-of-somebody-else")
    lines = [record.getMessage() for record in caplog.records if record.name == "connector.gateway"]
    assert len(lines) == 4
    assert lines[0] == "POST /openai/v1/chat/completions, model gpt-5, 1000+100 tokens, cost 0.001800 USD"
    fields = caplog.records[0]
    assert (fields.token, fields.client, fields.operation) == ("bot", "openai", "chat completions create")
    assert (fields.status, fields.request_id) == (200, "req_1")
    assert "invalid_token" in lines[3]
    for hidden in (TOKEN, KEY, hash_token(TOKEN), "private", "in-the-query", "gw-of-somebody-else"):
        assert hidden not in caplog.text


async def test_bodies_are_logged_when_asked_and_redacted(start, caplog):
    caplog.set_level("INFO", "connector.gateway")
    gateway = await start(gateway={"log_bodies": True, "tokens": {"bot": {"hash": hash_token(TOKEN)}}})
    await gateway.chat(payload={"messages": [{"role": "user", "content": f"my key is {KEY}"}]})
    assert "my key is ***" in caplog.text
    assert "< {" in caplog.text
    assert KEY not in caplog.text


def test_a_budget_looks_ahead_by_what_requests_used_of_their_most():
    one = Quota("app", budget=Budget(amount=10.0, every="day"), clock=lambda: 0.0, now=lambda: 1_000_000.0)
    for _ in range(3):
        one.settle(one.reserve(0, 100, 12.0), 25, 3.0)  # a quarter of the most
    with pytest.raises(Refusal) as full:
        one.reserve(0, 100, 12.0)
    assert full.value.status == 429
    assert "less than this call is likely to use (3 USD)" in str(full.value)
    one.settle(one.reserve(0, 30, 3.6), 8, 0.9)  # a smaller one fits
    assert one.spending.amount == pytest.approx(9.9)
