"""A budget holds whatever a request looks like, judged by what upstream itself counts: it reads the dearest model."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from aiohttp import web
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from connector.config.models.gateway import hash_token
from connector.gateway.limits import Spending
from tests.gateway.conftest import TOKEN

CHEAP, DEAR = "gpt-5-nano", "gpt-5-pro"
PRICES = {CHEAP: {"input": 1.0, "output": 1.0}, DEAR: {"input": 100.0, "output": 1000.0}}
OUTPUT = 4000
"""Tokens that upstream makes of every call, most of them hidden."""
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}


@dataclass
class Meter:
    """Upstream, which counts by itself: of all models that a body could mean it takes the dearest."""

    spent: float = 0.0
    tokens: int = 0
    calls: int = 0
    largest: float = 0.0
    mode: str = "told"
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    tier: str = "default"

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        data = await request.read()
        if request.headers.get("content-encoding") == "gzip":
            with suppress(OSError):
                data = gzip.decompress(data)
        model = _dearest(data)
        self._count(model, len(data))
        self.arrived.set()
        return await self._answer(request, model, len(data) // 4)

    def _count(self, model: str, size: int) -> None:
        price = PRICES[model]
        amount = (size // 4 * price["input"] + OUTPUT * price["output"]) / 1e6 * (2 if self.tier == "priority" else 1)
        self.spent += amount
        self.tokens += size // 4 + OUTPUT
        self.largest = max(self.largest, amount)
        self.calls += 1

    async def _answer(self, request: web.BaseRequest, model: str, given: int) -> web.StreamResponse:
        usage = {"prompt_tokens": given, "completion_tokens": OUTPUT, "total_tokens": given + OUTPUT}
        whole = {"id": "c-1", "model": model, "choices": [{"message": {"content": "x"}}], "service_tier": self.tier}
        if self.mode == "told":
            return web.json_response({**whole, "usage": usage})
        if self.mode == "gzip":
            body = gzip.compress(json.dumps({**whole, "usage": usage}).encode())
            return web.Response(body=body, headers={"Content-Encoding": "gzip", "Content-Type": "application/json"})
        if self.mode == "lost":
            request.transport.close()
            return web.Response()
        if self.mode == "waits":
            await asyncio.Event().wait()
        if self.mode == "502":
            return web.json_response({"error": {"message": "bad gateway"}}, status=502)
        return await self._streamed(request, model, usage)

    async def _streamed(self, request: web.BaseRequest, model: str, usage: dict[str, int]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        planted = {"tools": [{"usage": {"prompt_tokens": 1, "completion_tokens": 1}}]}
        chunk = {"model": model, "choices": [{"delta": {"content": "x"}}], "usage": None, **planted}
        await response.write(f"data: {json.dumps(chunk)}\n\n".encode())
        if self.mode == "broken":
            request.transport.close()
            return response
        if self.mode == "stream":
            last = {"model": model, "choices": [], "usage": usage, "service_tier": self.tier}
            await response.write(f"data: {json.dumps(last)}\n\n".encode())
        await response.write(b"data: [DONE]\n\n")
        return response


def _dearest(data: bytes) -> str:
    """The dearest model that anybody could find in a body; of one that names none, the dearest of all."""
    texts = [data.decode(coding, "replace") for coding in ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32")]
    text = "".join(texts).replace("\\u0070", "p")
    return CHEAP if CHEAP in text and DEAR not in text else DEAR


def _form(*parts: tuple[str, str]) -> bytes:
    return b"".join(f"--b\r\n{head}\r\n\r\n{text}\r\n".encode() for head, text in parts) + b"--b--\r\n"


NAMED = 'Content-Disposition: form-data; name="model"'
FILE = 'Content-Disposition: form-data; name="file"; filename="a.mp3"\r\nContent-Type: audio/mpeg'
OTHER = 'Content-Disposition: form-data; name="n"'
MULTIPART = "multipart/form-data; boundary=b"
JSON_BODIES = [
    '{"model": "MODEL", "messages": []}', '{"messages": [], "model": "MODEL"}',
    '{"model": "gpt-5-nano", "model": "MODEL"}', '{"model": "MODEL", "model": "gpt-5-nano"}',
    '{"model": "gpt-5-nano", "\\u006dodel": "MODEL"}', '{"messages": []}', '{"model": ["MODEL"]}', '{"model": null}',
    '{"prompt": {"id": "pmpt_1"}, "input": "x"}', '{"Model": "MODEL"}', '[{"model": "MODEL"}]', '"MODEL"', "",
    '{"model": "gpt-\\u0035-nano", "x": {"model": "MODEL"}}', '{"model": "MODEL", "service_tier": "priority"}',
    '{"model": "MODEL", "n": 4}', '{"model": "MODEL", "max_completion_tokens": 4000}', '{"model": "MODEL"} {}',
    '{"model": "unknown"}', '{"model": "MODEL", "tools": [{"type": "web_search"}]}', '{"model": "MODEL ", "n": 1}',
]  # fmt: skip
FORMS = [
    _form((NAMED, "MODEL"), (FILE, "x")), _form((FILE, "x" * 70_000), (NAMED, "MODEL")),
    _form((NAMED, CHEAP), (FILE, "x"), (NAMED, "MODEL")), _form((FILE, "x")), _form((OTHER, "1"), (NAMED, "MODEL")),
    _form((f'{NAMED}; filename="m"', "MODEL")), _form(("Content-Disposition: form-data; name=model", "MODEL")),
    _form(('Content-Disposition: form-data; name="model[]"', "MODEL"), (NAMED, CHEAP)),
    _form((NAMED, CHEAP), ("Content-Disposition: form-data; name*=utf-8''model", "MODEL")),
    _form((f"{NAMED}\r\nContent-Transfer-Encoding: base64", "Z3B0LTUtcHJv"), (NAMED, CHEAP)),
    _form((FILE, f"\n--b\n{NAMED}\n\nMODEL"), (NAMED, CHEAP)), b"junk\r\n" + _form((NAMED, "MODEL")),
    _form((NAMED, "MODEL")).replace(b"\r\n", b"\n"), _form((NAMED, CHEAP))[:-4] + b"\r\n", _form((NAMED, CHEAP)) * 2,
]  # fmt: skip
TYPES = [
    "application/json", "Application/JSON", "application/json; charset=utf-8", "application/json; charset=utf-16",
    "text/plain", "application/octet-stream", "", MULTIPART, 'multipart/form-data; boundary="b"',
    "multipart/mixed; boundary=b", "multipart/form-data; boundary=b; boundary=c", "application/x-www-form-urlencoded",
    "application/jsonp", "text/json", "application/vnd.api+json",
]  # fmt: skip
CODINGS = ["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"]


@dataclass(frozen=True)
class Shape:
    """A body, told in few words."""

    template: int
    model: str
    coding: str
    padding: int

    def made(self) -> bytes:
        if self.template >= len(JSON_BODIES):
            return FORMS[self.template - len(JSON_BODIES)].replace(b"MODEL", self.model.encode())
        text = JSON_BODIES[self.template].replace("MODEL", self.model)
        if self.padding:
            text = text.replace("{", '{"padding": "' + "x" * self.padding + '", ', 1)
        return text.encode(self.coding)


shapes = st.builds(
    Shape,
    template=st.integers(0, len(JSON_BODIES) + len(FORMS) - 1),
    model=st.sampled_from([CHEAP, DEAR]),
    coding=st.sampled_from(CODINGS),
    padding=st.sampled_from([0, 0, 10, 70_000, 300_000]),
)
requests = st.fixed_dictionaries({
    "body": shapes,
    "content_type": st.sampled_from(TYPES),
    "gzipped": st.sampled_from([False, False, True]),
    "chunked": st.booleans(),
    "path": st.sampled_from([
        "chat/completions", "chat/completions", "responses", "audio/transcriptions", "images/edits", "embeddings",
        "completions", "engines/gpt-5-pro/completions", "batches", "evals/e/runs", "threads/runs", "realtime/calls",
        "videos", "fine_tuning/jobs",
    ]),
    "mode": st.sampled_from(["told", "gzip", "lost", "waits", "502", "stream", "broken", "untold"]),
    "tier": st.sampled_from(["default", "priority"]),
})  # fmt: skip


async def send(gateway, meter: Meter, request: dict[str, Any]) -> int:
    """Sends a request, and leaves one whose answer does not come."""
    meter.mode, meter.tier = request["mode"], request["tier"]
    meter.arrived.clear()
    body = request["body"]
    data = body.made() if isinstance(body, Shape) else body
    data = gzip.compress(data) if request["gzipped"] else data
    headers = AUTHORIZED | ({"Content-Type": request["content_type"]} if request["content_type"] else {})
    headers |= {"Content-Encoding": "gzip"} if request["gzipped"] else {}

    async def pieces():
        yield data

    content = pieces() if request["chunked"] else data
    url = f"{gateway.url}/openai/v1/{request['path']}"
    call = asyncio.ensure_future(gateway.http.post(url, content=content, headers=headers))
    if request["mode"] == "waits":
        arrived = asyncio.ensure_future(meter.arrived.wait())
        await asyncio.wait({call, arrived}, return_when=asyncio.FIRST_COMPLETED)
        arrived.cancel()
        call.cancel()
    try:
        status = (await call).status_code
    except (httpx.HTTPError, asyncio.CancelledError):
        status = 0
    while gateway.listening.gateway.in_flight:
        await asyncio.wait({asyncio.ensure_future(gateway.get("/healthz", token=None))})
    return status


BUDGET = 5.0


@pytest.fixture
async def metered(start, upstream):
    upstream.handler = Meter()
    return await start({"budget": {"amount": BUDGET, "every": "day"}}, prices=PRICES), upstream.handler


def plain(**fields: Any) -> dict[str, Any]:
    body = json.dumps({"model": DEAR, "messages": []}).encode()
    return {
        "body": body, "content_type": "application/json", "gzipped": False, "chunked": False,
        "path": "chat/completions", "mode": "told", "tier": "default", **fields,
    }  # fmt: skip


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(calls=st.lists(requests, min_size=1, max_size=4))
@example(calls=[plain(content_type="text/plain")] * 4)
@example(calls=[plain(gzipped=True)] * 4)
@example(calls=[plain(mode="waits")] * 4)
@example(calls=[plain(mode="broken")] * 4)
@example(calls=[plain(tier="priority")] * 4)
async def test_no_request_spends_more_than_the_budget_and_one_call(metered, calls):
    gateway, meter = metered
    (bot,) = gateway.listening.gateway.callers
    bot.quota.spending.amount = bot.quota.spending.tokens = 0
    meter.spent = meter.largest = 0.0
    for call in (*calls, *calls):
        await send(gateway, meter, call)
    assert meter.spent <= BUDGET + meter.largest + 1e-9
    assert bot.quota.spending.amount >= min(meter.spent, BUDGET) - 1e-9
    assert bot.quota.spending == Spending(*[getattr(bot.quota.spending, n) for n in ("begun", "amount", "tokens")])


async def test_calls_at_a_time_spend_no_more_than_the_budget_and_one_call(metered):
    gateway, meter = metered
    statuses = await asyncio.gather(*(gateway.chat(payload={"model": DEAR}) for _ in range(60)))
    assert {answer.status_code for answer in statuses} == {200, 429}
    assert meter.spent <= BUDGET + meter.largest
    later = [(await gateway.chat(payload={"model": DEAR})).status_code for _ in range(3)]
    assert later[-1] == 429
    assert meter.spent <= BUDGET + meter.largest


@pytest.mark.parametrize(
    "request_",
    [
        plain(), plain(chunked=True), plain(content_type="application/json; charset=utf-8"),
        plain(content_type="Application/JSON"),
        plain(body=_form((NAMED, DEAR), (FILE, "x" * 70_000)), content_type=MULTIPART, path="audio/transcriptions"),
        plain(body=_form((FILE, "x" * 70_000), (NAMED, DEAR)), content_type=MULTIPART, path="audio/transcriptions"),
        plain(body=json.dumps({"messages": ["x" * 100_000], "model": DEAR}).encode()),
    ],
)  # fmt: skip
async def test_ordinary_requests_pass_and_are_charged(metered, request_):
    gateway, meter = metered
    assert await send(gateway, meter, request_) == 200
    (bot,) = gateway.listening.gateway.callers
    assert bot.quota.spending.amount == pytest.approx(meter.spent)


@pytest.mark.parametrize("path", ["batches", "evals/e/runs", "threads/runs", "videos", "fine_tuning/jobs"])
async def test_what_may_cost_anything_is_refused_unless_it_is_allowed(start, upstream, path):
    upstream.handler = Meter()
    budget = {"budget": {"amount": BUDGET, "every": "day"}}
    other = {"hash": hash_token("gw-open"), "unbounded_cost": True, **budget}
    gateway = await start(
        gateway={"tokens": {"bot": {"hash": hash_token(TOKEN), **budget}, "open": other}}, prices=PRICES
    )
    answer = await gateway.chat(path=f"/openai/v1/{path}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "cost_unknown")
    assert "unbounded_cost" in answer.json()["error"]["message"]
    assert upstream.handler.calls == 0
    assert (await gateway.chat("gw-open", path=f"/openai/v1/{path}")).status_code == 200


@pytest.mark.parametrize(
    "extra",
    [
        {"tools": [{"type": "web_search"}]}, {"tools": [{"type": "namespace", "tools": []}]}, {"tools": ["web_search"]},
        {"web_search_options": {}}, {"service_tier": "ultrafast"}, {"prompt": {"id": "p"}}, {"model": ""},
    ],
)  # fmt: skip
async def test_what_costs_beside_tokens_is_refused(metered, extra):
    gateway, meter = metered
    answer = await gateway.chat(path="/openai/v1/responses", payload={"model": DEAR, **extra})
    assert (answer.status_code, meter.calls) == (403, 0)


async def test_tokens_a_minute_count_whatever_the_body_looks_like(start, upstream):
    upstream.handler = Meter(mode="lost")
    gateway = await start({"tokens_per_minute": 50_000})
    body = json.dumps({"model": CHEAP, "messages": ["x" * 160_000]}).encode()
    form = _form((NAMED, CHEAP), (OTHER, "x" * 160_000))
    for request in (
        plain(body=body, chunked=True), plain(body=body, content_type="Application/JSON"),
        plain(body=form, content_type=MULTIPART, path="audio/translations", chunked=True),
    ):  # fmt: skip
        (bot,) = gateway.listening.gateway.callers
        bot.quota._tokens._left = 50_000.0
        request["mode"] = "lost"
        statuses = [await send(gateway, upstream.handler, request) for _ in range(2)]
        assert statuses == [502, 429]


async def test_tokens_a_minute_alone_refuse_no_form_of_body(start, upstream):
    crm = {"prototype": "http", "parameters": {"base_uri": f"{upstream.url}/crm"}}
    gateway = await start({"tokens_per_minute": 50_000, "allow": ["* /*"]}, clients={"crm": crm})
    for content_type in ("text/xml", "application/x-www-form-urlencoded", "application/json"):
        headers = AUTHORIZED | {"Content-Type": content_type}
        answer = await gateway.http.post(f"{gateway.url}/crm/v1/x", content=b"<a/>", headers=headers)
        assert answer.status_code == 200
    assert [seen.body for seen in upstream.seen] == [b"<a/>"] * 3


MODELS = {"models": ["gpt-5-nano", "gpt-5-mini*"]}


@pytest.mark.parametrize(
    ("path", "payload", "status"),
    [
        ("chat/completions", {"model": "gpt-5-nano"}, 200),
        ("chat/completions", {"model": "gpt-5-mini-2026"}, 200),
        ("chat/completions", {"model": "gpt-5-nano-x"}, 403),
        ("chat/completions", {"model": "gpt-5-pro"}, 403),
        ("chat/completions", {"model": "gpt-5-nano", "models": ["gpt-5-pro"]}, 403),
        ("chat/completions", {"model": ["gpt-5-nano"]}, 403),
        ("chat/completions", {}, 403),
        ("responses", {"prompt": {"id": "p"}}, 403),
        ("responses", {"model": "gpt-5-nano", "tools": [{"type": "image_generation", "model": "gpt-image-1"}]}, 403),
        ("responses", {"model": "gpt-5-nano", "metadata": {"model": "mine"}}, 200),
        ("responses?model=gpt-5-pro", {"model": "gpt-5-nano"}, 403),
        ("moderations", {"model": "omni-moderation-latest"}, 403),
        ("moderations", {"input": "x"}, 200),
        ("assistants", {"model": "gpt-5-pro"}, 403),
        ("threads/runs", {"assistant_id": "a"}, 403),
        ("batches", {"input_file_id": "f"}, 403),
        ("engines/gpt-5-pro/completions", {"prompt": "x"}, 403),
        ("engines/gpt-5-nano/completions", {"prompt": "x"}, 200),
        ("fine_tuning/jobs", {"model": "gpt-5-pro"}, 403),
        ("evals/e/runs", {"data_source": {"model": "gpt-5-pro"}}, 403),
        ("embeddings", {"model": "gpt-5-mini", "input": "x"}, 200),
        ("chat/completions", {"model": "gpt-5-nano", "Model": "gpt-5-pro"}, 403),
        ("chat/completions", {"model": "gpt-5-nano", "model\u017f": "gpt-5-pro"}, 403),
        ("chat/completions", {"model": "gpt-5-nano", "MODELS": ["gpt-5-pro"]}, 403),
        ("chat/completions", {"model": "gpt-5-nano", "fallbacks": [{"base_model": "gpt-5-pro"}]}, 403),
    ],
)
async def test_only_models_that_are_listed_are_used(start, upstream, path, payload, status):
    gateway = await start(MODELS)
    answer = await gateway.http.post(f"{gateway.url}/openai/v1/{path}", json=payload, headers=AUTHORIZED)
    assert (answer.status_code, len(upstream.seen)) == (status, int(status == 200))
    if status == 403:
        assert answer.json()["error"]["code"] == "model_not_allowed"


@pytest.mark.parametrize(
    "body", [b'{"model": "gpt-5-nano", "model": "gpt-5-pro"}', b'\xef\xbb\xbf{"model": "gpt-5-nano"}', b"\xff\xfe{"]
)
async def test_a_model_is_hidden_from_no_list(start, upstream, body):
    gateway = await start(MODELS)
    headers = AUTHORIZED | {"Content-Type": "application/json"}
    answer = await gateway.http.post(f"{gateway.url}/openai/v1/chat/completions", content=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "body_unclear")
    assert upstream.seen == []


NANO = ("model", "gpt-5-nano")


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (("session", '{"type": "realtime", "model": "gpt-realtime"}'), "model_not_allowed"),
        (("session", '{"type": "realtime", "mod\\u0065l": "gpt-realtime"}'), "model_not_allowed"),
        (("session", '{"model": "gpt-5-nano", "model": "gpt-realtime"}'), "body_unclear"),
        (("session[model]", "gpt-realtime"), "body_unclear"),
        (("session.Model", "gpt-realtime"), "body_unclear"),
    ],
)
async def test_a_model_is_hidden_in_no_field_of_a_form(start, upstream, more, code):
    gateway = await start(MODELS)
    fields = [(name, (None, value)) for name, value in (NANO, more)]
    answer = await gateway.http.post(f"{gateway.url}/openai/v1/realtime/calls", files=fields, headers=AUTHORIZED)
    assert (answer.json()["error"]["code"], upstream.seen) == (code, [])


async def test_a_prompt_that_looks_like_json_is_a_prompt(start, upstream):
    gateway = await start(MODELS)
    fields = [(name, (None, value)) for name, value in (NANO, ("prompt", "{a cat, a hat"))]
    answer = await gateway.http.post(f"{gateway.url}/openai/v1/images/edits", files=fields, headers=AUTHORIZED)
    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["deployments/gpt-5-pro/chat/completions", "models/gpt-5-pro:generateContent"])
async def test_a_model_in_a_path_that_nobody_knows_is_looked_up(start, upstream, path):
    gateway = await start({**MODELS, "allow": ["POST /*"]})
    payload = {"model": "gpt-5-nano"}
    answer = await gateway.http.post(f"{gateway.url}/openai/v1/{path}", json=payload, headers=AUTHORIZED)
    assert (answer.json()["error"]["code"], upstream.seen) == ("model_not_allowed", [])


@pytest.mark.parametrize("path", ["batches", "evals/e/runs", "threads/t/runs", "fine_tuning/jobs", "realtime/calls"])
async def test_a_budget_in_tokens_refuses_what_may_use_any_number_of_them(start, upstream, path):
    token = {"budget": {"every": "month", "tokens": 1000}}
    for more, status in (({}, 403), ({"unbounded_cost": True}, 200)):
        gateway = await start({**token, **more})
        url = f"{gateway.url}/openai/v1/{path}"
        answer = await gateway.http.post(url, json={"model": "gpt-5"}, headers=AUTHORIZED)
        assert (answer.status_code, len(upstream.seen)) == (status, int(status == 200))


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_model_in_a_path_is_looked_up(start, upstream, method):
    gateway = await start(MODELS)
    for model, status in (("gpt-5-nano", 200), ("ft:gpt-5-pro:x", 403), ("gpt-5-%70ro", 403)):
        url = f"{gateway.url}/openai/v1/models/{model}"
        assert (await gateway.http.request(method, url, headers=AUTHORIZED)).status_code == status
    assert (await gateway.get("/openai/v1/models")).status_code == 200


BACKGROUND = {"id": "resp_1", "object": "response", "model": CHEAP, "status": "queued", "usage": None}
USED = {"input_tokens": 1000, "output_tokens": 100_000}


def background(**done: Any):
    async def answers(request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        first = request.method == "POST" and not request.path.endswith("/cancel")
        told = BACKGROUND if first else {**BACKGROUND, "status": "completed", "usage": USED, **done}
        return web.json_response({"object": "list", "data": [told]} if request.path.endswith("input_items") else told)

    return answers


@pytest.mark.parametrize("read", ["GET /responses/resp_1", "POST /responses/resp_1/cancel"])
async def test_a_background_answer_is_charged_however_it_is_read_and_after_a_restart(start, upstream, read):
    upstream.handler = background()
    token = {"budget": {"amount": 100.0, "every": "day"}}
    gateway = await start(token, prices=PRICES)
    assert (
        await gateway.chat(path="/openai/v1/responses", payload={"model": CHEAP, "background": True})
    ).status_code == 200
    (bot,) = gateway.listening.gateway.callers
    assert bot.quota.spending.amount >= 16384 / 1e6  # until it is read, the most that it may be
    await gateway.listening.__aexit__(None, None, None)
    gateway = await start(token, prices=PRICES)
    (bot,) = gateway.listening.gateway.callers
    for _ in range(2):
        method, path = read.split(" ")
        await gateway.http.request(method, f"{gateway.url}/openai/v1{path}", headers=AUTHORIZED)
    assert bot.quota.spending.amount == pytest.approx((1000 + 100_000) / 1e6)
    assert bot.quota.spending.tokens == 101_000


async def test_a_batch_is_charged_to_whom_made_it(start, upstream):
    async def answers(request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        made = {"id": "batch_1", "object": "batch", "status": "validating"}
        done = {**made, "status": "completed", "model": CHEAP, "usage": USED}
        listed = {"object": "list", "data": [done]}
        return web.json_response(made if request.method == "POST" else listed)

    upstream.handler = answers
    budget = {"amount": 100.0, "every": "day"}
    tokens = {
        "bot": {"hash": hash_token(TOKEN), "budget": budget, "unbounded_cost": True},
        "reader": {"hash": hash_token("gw-reader"), "budget": budget},
    }
    gateway = await start(gateway={"tokens": tokens}, prices=PRICES)
    assert (await gateway.chat(path="/openai/v1/batches")).status_code == 200
    for _ in range(2):
        assert (await gateway.get("/openai/v1/batches", token="gw-reader")).status_code == 200
    spent = {caller.name: caller.quota.spending.amount for caller in gateway.listening.gateway.callers}
    assert spent == {"bot": pytest.approx(101_000 / 1e6 / 2), "reader": 0.0}


async def test_the_runs_of_an_eval_are_charged_by_their_models(start, upstream):
    async def answers(request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        made = {"id": "evalrun_1", "object": "eval.run", "status": "queued"}
        used = [
            {"model_name": name, "prompt_tokens": 1000, "completion_tokens": 10, "invocation_count": 1}
            for name in (CHEAP, DEAR)
        ]
        done = {**made, "status": "completed", "per_model_usage": used}
        return web.json_response(made if request.method == "POST" else done)

    upstream.handler = answers
    gateway = await start({"budget": {"amount": 100.0, "every": "day"}, "unbounded_cost": True}, prices=PRICES)
    assert (await gateway.chat(path="/openai/v1/evals/e/runs")).status_code == 200
    assert (await gateway.get("/openai/v1/evals/e/runs/evalrun_1")).status_code == 200
    (bot,) = gateway.listening.gateway.callers
    assert bot.quota.spending.amount == pytest.approx((1010 + 100_000 + 10_000) / 1e6)


async def test_speech_is_counted(start, upstream):
    async def speaks(request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        return web.Response(body=b"x" * 128_000, content_type="audio/mpeg")

    upstream.handler = speaks
    gateway = await start({"budget": {"amount": 100.0, "every": "day"}}, prices=PRICES)
    assert (
        await gateway.chat(path="/openai/v1/audio/speech", payload={"model": DEAR, "input": "x"})
    ).status_code == 200
    (bot,) = gateway.listening.gateway.callers
    assert bot.quota.spending.amount >= 1000 * 1000 / 1e6


async def test_a_process_that_is_killed_has_written_what_was_under_way(start, upstream):
    upstream.handler = Meter(mode="waits")
    gateway = await start({"budget": {"amount": BUDGET, "every": "day"}}, prices=PRICES)
    call = asyncio.ensure_future(gateway.chat(payload={"model": DEAR}))
    await upstream.handler.arrived.wait()
    file = gateway.folder / ".gateway-spent.json"
    async with asyncio.timeout(30):
        while not file.exists():
            await asyncio.wait({call}, timeout=0.05)
    assert json.loads(file.read_bytes())["bot"]["amount"] >= OUTPUT * 1000 / 1e6
    call.cancel()
    with suppress(asyncio.CancelledError):
        await call


async def test_what_is_charged_is_what_the_model_that_answered_costs(start, upstream):
    async def answers(request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        return web.json_response({"model": DEAR, "usage": {"prompt_tokens": 1000, "completion_tokens": 0}})

    upstream.handler = answers
    gateway = await start({"budget": {"amount": BUDGET, "every": "day"}}, prices=PRICES)
    assert (await gateway.chat(payload={"model": CHEAP})).status_code == 200
    (bot,) = gateway.listening.gateway.callers
    assert bot.quota.spending.amount == pytest.approx(0.1)


async def test_usage_that_a_caller_made_up_counts_for_nothing(start, upstream):
    planted = {"usage": {"input_tokens": 1, "output_tokens": 1}}

    async def answers(request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        return web.json_response({**BACKGROUND, "tools": [planted], "instructions": "x" * 100_000, "usage": None})

    upstream.handler = answers
    gateway = await start({"budget": {"amount": BUDGET, "every": "day"}}, prices=PRICES)
    await gateway.chat(path="/openai/v1/responses", payload={"model": CHEAP, "background": True})
    (bot,) = gateway.listening.gateway.callers
    assert bot.quota.spending.tokens > 10_000
    assert re.fullmatch(r"\d+", str(bot.quota.spending.tokens))
