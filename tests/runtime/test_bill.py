"""A mixed load through routes, batches and the gateway: what we count equals what the sandbox bills, to the cent.

The bill is the sandbox's own: `connector.sandbox.bill` reads usage and the file of prices by itself, in decimals.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from connector.catalogue import Catalogue
from connector.config.models.gateway import hash_token
from connector.delivery.charges import price_kept_calls
from connector.engine import Filter, Store, open_store
from connector.gateway import GatewayServer
from connector.model_registry import default_registry
from connector.pipeline import Runtime, load_configuration
from connector.runtime.plan import Plan
from connector.runtime.runner import Runner
from connector.sandbox import Sandbox
from connector.sandbox.bill.payers import read_payer
from connector.telemetry.costs import Prices
from connector.telemetry.observer import Observer
from connector.timing import Timing

OFTEN = Timing(sleep=lambda seconds: asyncio.sleep(min(seconds, 0.01)))
NOON = datetime(2026, 11, 28, 12, tzinfo=UTC).timestamp()
TOKEN = "gw-a-caller-of-the-gateway"
ROUTE_KEY, GATE_KEY = "sk-of-the-routes-0123456789", "sk-of-the-gateway-0123456789"
GUIDE = "Every product has a number, a name and a price. " * 200
"""More than 1,024 tokens, so that it is cached."""
BOOK = "word " * 272_200
"""More than 272,000 tokens: other prices count for the whole request."""
LUNA, TERRA = "gpt-6-luna", "gpt-6.1-terra"
HELLO = [{"role": "user", "content": "Good morning"}]
CHATS: list[dict[str, Any]] = [
    {"model": LUNA, "messages": HELLO},
    {"model": LUNA, "messages": HELLO, "service_tier": "flex"},
    {"model": LUNA, "messages": HELLO, "service_tier": "priority"},
    {"model": "gpt-5-mini", "messages": HELLO, "service_tier": "priority", "n": 2},
    {"model": TERRA, "messages": [{"role": "system", "content": GUIDE}, *HELLO], "prompt_cache_key": "guide"},
    {"model": TERRA, "messages": [{"role": "system", "content": GUIDE}, *HELLO], "prompt_cache_key": "guide"},
    {"model": "gpt-4.1", "messages": [{"role": "system", "content": GUIDE}, *HELLO]},
    {"model": "gpt-4.1", "messages": [{"role": "system", "content": GUIDE}, *HELLO]},
    {"model": LUNA, "messages": [{"role": "user", "content": BOOK}], "max_completion_tokens": 40},
    {"model": LUNA, "messages": [{"role": "user", "content": BOOK}], "service_tier": "flex",
     "max_completion_tokens": 40},
]  # fmt: skip
TOOL = {"type": "function", "name": "now", "parameters": {"type": "object", "properties": {}}, "strict": False}
RESPONSES: list[dict[str, Any]] = [
    {"model": TERRA, "instructions": GUIDE, "input": "Hi", "prompt_cache_options": {"ttl": "12h"}},
    {"model": TERRA, "instructions": GUIDE, "input": "Hi", "prompt_cache_options": {"ttl": "12h"}},
    {"model": TERRA, "input": "What is new?", "tools": [{"type": "web_search"}], "tool_choice": "required"},
    {"model": "gpt-6-sol", "input": "Call now", "tools": [TOOL], "reasoning": {"effort": "high"}},
    {"model": LUNA, "input": "Hi", "service_tier": "flex"},
]
WAITING = [{"model": TERRA, "input": f"Think about {subject}"} for subject in ("doors", "windows")]
IN_BATCH = [{"model": model, "messages": HELLO} for model in (LUNA, LUNA, TERRA)]
IMAGES = [
    {"model": "gpt-image-2.5-flare", "prompt": "A door", "quality": "low"},
    {"model": "gpt-image-1.5", "prompt": "A key"},
]
VECTORS = [{"model": "text-embedding-3-small", "input": ["one", "two and three"]}]
SPOKEN = [{"model": "tts-1", "input": "Guten Morgen, liebe Leute!", "voice": "alloy"}]
CHECKED = [{"model": "omni-moderation-latest", "input": "A lovely lamp"}]
LOADS: Mapping[str, tuple[str, list[dict[str, Any]]]] = {
    "chat": ("chat completions", CHATS),
    "respond": ("responses", RESPONSES),
    "wait": ("responses", WAITING),
    "batch": ("chat completions", IN_BATCH),
    "draw": ("image generations", IMAGES),
    "embed": ("embeddings", VECTORS),
    "speak": ("audio speech", SPOKEN),
    "check": ("moderations", CHECKED),
    "hear": ("audio transcriptions", [{"model": "gpt-transcribe", "file": {"$file": "FOLDER/speech.txt"}}]),
}
MORE: Mapping[str, Mapping[str, Any]] = {
    "wait": {"transport": "background", "window": "8h"},
    "batch": {"transport": "batch"},
}


def write_configuration(folder: Path, url: str) -> Path:
    """Write a route for each load; the documents are the requests."""

    def client(key: str) -> dict[str, Any]:
        return {"prototype": "openai", "parameters": {"base_uri": url, "token": key, "file_roots": [str(folder)]}}

    (folder / "speech.txt").write_text("This is what was said in ten seconds or so, word by word.", encoding="utf-8")
    incoming, outgoing, routes = {}, {}, {}
    for name, (entity, payloads) in LOADS.items():
        lines = (json.dumps({"payload": payload}).replace("FOLDER", str(folder)) for payload in payloads)
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        incoming[name] = {"subscriber": {"prototype": "file", "parameters": {"url": f"{name}.jsonl"}}}
        publisher = {"prototype": "openai", "parameters": {"client": "openai", "entity": entity, "action": "create"}}
        outgoing[name] = {"publisher": publisher, **MORE.get(name, {})}
        routes[name] = {"incoming": name, "outgoing": name, "concurrency": 1}
    tokens = {"caller": {"hash": hash_token(TOKEN), "clients": ["gate"], "unbounded_cost": True, "metrics": True}}
    configuration = {
        "clients": {"openai": client(ROUTE_KEY), "gate": client(GATE_KEY)},
        "incoming": incoming, "outgoing": outgoing, "routes": routes, "gateway": {"tokens": tokens},
    }  # fmt: skip
    path = folder / "connector.yaml"
    path.write_text(json.dumps(configuration), encoding="utf-8")
    return path


CHARGED = {
    "input", "cached input", "cache write", "cache write, 12 hours", "output", "image output", "audio", "characters",
    "web search",
}  # fmt: skip


class Bill:
    """The sandbox's reports of this day, by key."""

    def __init__(self, http: httpx.AsyncClient, key: str) -> None:
        self._http = http
        self._key = read_payer({"authorization": f"Bearer {key}"}).key

    async def read(self, report: str, *groups: str) -> list[dict[str, Any]]:
        """Return the results of a report that are this key's."""
        query: list[tuple[str, str]] = [("start_time", str(int(NOON) - 43_200)), ("api_key_ids[]", self._key)]
        query += [("group_by[]", group) for group in groups]
        answer = (await self._http.get(f"/organization/{report}", params=query)).raise_for_status().json()
        return [result for bucket in answer["data"] for result in bucket["results"]]

    async def costs(self) -> float:
        return sum(result["amount"]["value"] for result in await self.read("costs", "line_item"))

    async def kinds(self) -> set[str]:
        """Return what is charged for, without the models."""
        return {result["line_item"].split(", ", 1)[1] for result in await self.read("costs", "line_item")}

    async def tokens(self) -> dict[str, tuple[int, int, int]]:
        """Return the tokens of each text model: sent, of those cached, received."""
        names = ("input_tokens", "input_cached_tokens", "output_tokens")
        return {
            result["model"]: tuple(result[name] for name in names)
            for result in await self.read("usage/completions", "model")
        }


@pytest.fixture
async def running(tmp_path: Path) -> Any:
    """A sandbox whose day is fixed, and a configuration of all loads."""
    began = time.monotonic()
    async with AsyncExitStack() as stack:
        box = Sandbox(pace=0.02, clock=lambda: NOON + time.monotonic() - began, billing=["fresh"])
        await stack.enter_async_context(box)
        headers = {"authorization": "Bearer sk-admin"}
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=box.url, headers=headers))
        configuration = load_configuration(write_configuration(tmp_path, box.url), {})
        runtime = await stack.enter_async_context(Runtime(configuration))
        yield box, http, runtime


async def test_what_routes_and_batches_count_is_what_is_billed(running: Any) -> None:
    _, http, runtime = running
    observer, configuration, began = Observer(), runtime.configuration, time.monotonic()

    def hurry() -> float:
        """Two hundred seconds pass in one."""
        return NOON + 200 * (time.monotonic() - began)

    store = await open_store(configuration.engine_url)
    try:
        runner = Runner(runtime, store, Plan.of(configuration), once=True, observer=observer, timing=OFTEN, wall=hurry)
        end = await runner.run()
        in_tasks = await add_up_tasks(store)
    finally:
        await store.close()
    assert {name: dict(states) for name, states in end.ended.items() if ":" not in name} == {
        name: {"finished": len(payloads)} for name, (_, payloads) in LOADS.items()
    }
    bill, metrics = Bill(http, ROUTE_KEY), observer.metrics
    billed = await bill.costs()
    assert await bill.kinds() == CHARGED
    assert metrics.cost.total() == pytest.approx(billed, abs=1e-9)
    assert in_tasks == pytest.approx(billed, abs=1e-9)
    counted: dict[str, dict[str, float]] = {}
    for (_, _, model, kind), amount in metrics.tokens.values.items():
        counted.setdefault(model, {})[kind] = counted.get(model, {}).get(kind, 0) + amount
    for model, (sent, cached, received) in (await bill.tokens()).items():
        assert (model, counted[model]) == (model, {"input": sent, "cached_input": cached, "output": received})
    by_route = metrics.cost.total_by("route")
    assert min(by_route[name] for name in LOADS if name != "check") > 0
    assert sum(result["num_model_requests"] for result in await bill.read("usage/completions", "batch")
               if result["batch"]) == len(IN_BATCH)  # fmt: skip


async def add_up_tasks(store: Store) -> float:
    """Return what was kept of all tasks says that they cost."""
    prices, total = Prices({}, registry=default_registry()), 0.0
    for light in await store.tasks(Filter(), limit=500):
        task = await store.task(light.id)
        total += sum(cost.amount or 0.0 for _, cost in price_kept_calls(prices, task.calls if task else ()))
    return total


async def test_what_the_gateway_counts_is_what_is_billed(running: Any) -> None:
    box, http, runtime = running
    headers = {"authorization": f"Bearer {TOKEN}"}
    async with (
        GatewayServer(runtime, port=0, catalogue=Catalogue.open(None)) as served,
        httpx.AsyncClient(base_url=f"{served.url}/gate/v1", headers=headers, timeout=60) as caller,
    ):
        for path, payloads in (
            ("/chat/completions", CHATS), ("/responses", RESPONSES), ("/images/generations", IMAGES),
            ("/embeddings", VECTORS), ("/audio/speech", SPOKEN), ("/moderations", CHECKED),
        ):  # fmt: skip
            for payload in payloads:
                (await caller.post(path, json=payload)).raise_for_status()
        await stream(caller, "/responses", {**RESPONSES[2], "stream": True})
        await stream(
            caller, "/chat/completions", {**CHATS[0], "stream": True, "stream_options": {"include_usage": True}}
        )
        file = {"file": ("speech.txt", b"This is what was said, word by word.")}
        heard = await caller.post("/audio/transcriptions", data={"model": "gpt-transcribe"}, files=file)
        assert heard.raise_for_status().json()["usage"]["type"] == "duration"
        await wait_in_background(caller, {**WAITING[0], "background_options": {"completion_window": "2h"}})
        sums = [found for _, client, _, found in served.gateway.counters.rows() if client == "gate"]
    bill = Bill(http, GATE_KEY)
    billed = await bill.costs()
    assert await bill.kinds() == CHARGED
    assert sum(found.cost for found in sums) == pytest.approx(billed, abs=1e-9)
    assert [found for found in sums if found.estimated or found.unpriced] == []
    assert len(box.requests) > 25


async def stream(caller: httpx.AsyncClient, path: str, payload: Mapping[str, Any]) -> None:
    async with caller.stream("POST", path, json=payload) as answer:
        assert [line async for line in answer.aiter_lines()]


async def wait_in_background(caller: httpx.AsyncClient, payload: Mapping[str, Any]) -> None:
    made = (await caller.post("/responses", json={**payload, "background": True})).raise_for_status().json()
    while made["status"] in ("queued", "in_progress"):
        made = (await caller.get(f"/responses/{made['id']}")).raise_for_status().json()
    assert made["status"] == "completed"
    # Reading it again costs nothing.
    await caller.get(f"/responses/{made['id']}")
