"""Webhooks from a sandbox to the gateway's address: on disk before they are acknowledged, each once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from connector.config import parse
from connector.delivery.context import DeliveryContext
from connector.delivery.delivery import Delivery
from connector.engine import Change, Filter, NewTask, Settlement, Store, StoreFull, Task, TaskState, open_store
from connector.errors import ConfigurationError
from connector.gateway import GatewayServer
from connector.intake.receivers import receivers
from connector.pipeline import Runtime, kinds
from connector.sandbox import Sandbox
from connector.sandbox.webhooks import sign

SECRET = "whsec_c2VjcmV0LW9uZQ=="
NOW = 1_800_000_000.0
HOOK = {"path": "/hooks/openai", "secret": "${SECRET}", "events": ["batch.completed", "response.completed"]}
FAR = NOW * 2
BATCHED = {"prototype": "openai", "parameters": {"client": "openai", "entity": "responses", "action": "create"}}
EVENT = {"object": "event", "id": "evt_1", "type": "batch.completed", "created_at": 1, "data": {"id": "batch_1"}}


@dataclass
class Bench:
    url: str
    store: Store
    desk: DeliveryContext
    environ: dict[str, str]

    async def send(
        self, event: Any, identity: str = "wh_1", *, secret: str = SECRET, at: float = NOW
    ) -> httpx.Response:
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        async with httpx.AsyncClient() as client:
            return await client.post(self.url, content=body, headers=sign(secret, identity, int(at), body))

    async def tasks(self, route: str = "r") -> list[Task]:
        return list(await self.store.tasks(Filter(route=route)))


@asynccontextmanager
async def opened(
    folder: Path, base: str = "http://127.0.0.1:9/v1", chain: Any = (), batched: bool = False, **hook: Any
) -> AsyncIterator[Bench]:
    environ = {"SECRET": SECRET}
    routes = {name: {"incoming": "in", "outgoing": "out"} for name in ("r", "s")}
    document: dict[str, dict[str, Any]] = {
        "clients": {"openai": {"prototype": "openai", "parameters": {"base_uri": base, "token": "any"}}},
        "incoming": {"in": {"subscriber": {"prototype": "webhook", "parameters": HOOK | hook}, "chain": list(chain)}},
        "outgoing": {"out": {"publisher": {"prototype": "none"}}},
        "routes": routes,
    }
    if batched:
        document["incoming"]["file"] = {"subscriber": {"prototype": "file", "parameters": {"url": "in.jsonl"}}}
        document["outgoing"]["asked"] = {"publisher": BATCHED, "transport": "batch"}
        document["routes"]["b"] = {"incoming": "file", "outgoing": "asked"}
    configuration = parse(document, folder=folder, environ=environ, kinds=kinds())
    async with Runtime(configuration) as runtime:
        store = await open_store(f"sqlite:///{folder / 'tasks.db'}")
        try:
            desk = DeliveryContext(runtime, store, wall=lambda: NOW)
            found = receivers(desk, ["r", "s"])
            async with GatewayServer(runtime, port=0, administrator="gw-any", receivers=found) as listening:
                yield Bench(f"{listening.url}/hooks/openai", store, desk, environ)
        finally:
            await store.close()


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with opened(tmp_path) as made:
        yield made


async def test_an_event_is_a_task_of_each_route_that_reads_it(bench: Bench) -> None:
    assert (await bench.send(EVENT)).status_code == 200
    for route in ("r", "s"):
        [task] = await bench.tasks(route)
        assert task.document == EVENT
        assert task.key == "wh_1"


async def test_what_is_sent_again_is_acknowledged_and_taken_once(bench: Bench) -> None:
    assert [(await bench.send(EVENT)).status_code for _ in range(3)] == [200, 200, 200]
    assert len(await bench.tasks()) == 1
    assert (await bench.send(EVENT, "wh_2")).status_code == 200
    assert len(await bench.tasks()) == 2


async def test_what_nobody_asked_for_is_acknowledged_and_left(bench: Bench) -> None:
    assert (await bench.send(EVENT | {"type": "video.failed"})).status_code == 200
    assert await bench.tasks() == []


@pytest.mark.parametrize(
    ("event", "how"),
    [
        (EVENT, {"secret": "whsec_b3RoZXI="}),
        (EVENT, {"at": NOW - 301}),
        (EVENT, {"at": NOW + 301}),
        (b"no json", {}),
        (b"[]", {}),
        (b'{"type": "batch.completed", "type": "x"}', {}),
    ],
)
async def test_what_is_wrong_is_refused_and_not_told_why(bench: Bench, event: Any, how: dict[str, Any]) -> None:
    answer = await bench.send(event, **how)
    assert answer.status_code == 400
    assert answer.json()["detail"] == "this is not accepted"
    assert await bench.tasks() == []


async def test_other_ways_in_are_closed(bench: Bench) -> None:
    async with httpx.AsyncClient() as client:
        assert (await client.get(bench.url)).status_code == 405
        assert (await client.post(bench.url)).status_code == 400
        assert (await client.post(f"{bench.url}/more", content=b"{}")).status_code in (401, 404)
        assert (await client.post(bench.url, content=b"x" * 300_000)).status_code == 413


async def test_while_the_disk_is_full_it_is_to_be_sent_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(_: Any) -> Any:
        raise StoreFull("no space")

    with monkeypatch.context() as patched:
        patched.setattr(bench.store, "commit", full)
        answer = await bench.send(EVENT)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    assert await bench.tasks() == []
    assert (await bench.send(EVENT)).status_code == 200
    assert len(await bench.tasks()) == 1


async def test_an_event_on_which_the_chain_fails_is_kept(tmp_path: Path) -> None:
    chain = [{"exception": {"message": "never"}}]
    async with opened(tmp_path, chain=chain) as bench:
        assert (await bench.send(EVENT)).status_code == 200
        [task] = await bench.tasks()
        assert "never" in json.dumps(task.document)
        assert (await bench.send(EVENT)).status_code == 200
        assert len(await bench.tasks()) == 1


async def test_a_chain_that_calls_runs_once_for_all_routes_and_after_the_answer(tmp_path: Path) -> None:
    asks = {"client": "openai", "entity": "responses", "action": "create", "destination": "said"}
    chain = [{"openai": {**asks, "payload": {"model": "gpt-5", "input": "&{id}"}}}]
    async with Sandbox() as sandbox, opened(tmp_path, sandbox.url, chain=chain) as bench:
        for _ in range(2):
            assert (await bench.send(EVENT)).status_code == 200
        assert await bench.tasks() == []
        [task] = await bench.store.lease("r:incoming", 10)
        assert (task.document, task.key) == (EVENT, "wh_1")
        await bench.store.commit(await Delivery(bench.desk, "r:incoming").attempt(task))
        for route in ("r", "s"):
            [made] = await bench.tasks(route)
            assert (made.key, made.version, made.source) == ("wh_1", "wh_1", task.id)
            assert made.document["said"]["object"] == "response"
        assert await bench.store.lease("s:incoming", 10) == []


async def test_what_an_event_names_is_read(tmp_path: Path) -> None:
    script = {"faults": [{"operation": "responses retrieve", "nth": 1, "fault": "503"}]}
    async with Sandbox(script=script) as sandbox, opened(tmp_path, sandbox.url, fetch=True, client="openai") as bench:
        client = bench.desk.runtime.client("openai")
        asked = {"payload": {"model": "gpt-5", "input": "hello"}}
        made = (await client.send(client.prepare("responses create", asked))).require()
        event = EVENT | {"type": "response.completed", "data": {"id": made["id"]}}
        assert (await bench.send(event)).status_code == 503
        assert await bench.tasks() == []
        assert (await bench.send(event)).status_code == 200
        [task] = await bench.tasks()
        assert task.document["entity"]["id"] == made["id"]
        gone = EVENT | {"data": {"id": "batch_none"}}
        assert (await bench.send(gone, "wh_2")).status_code == 200
        assert (await bench.tasks())[-1].document["entity"] is None


async def test_fetching_needs_a_client(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="say client: NAME"):
        async with opened(tmp_path, fetch=True):
            pass


async def test_the_sandbox_sends_what_is_received(tmp_path: Path) -> None:
    clock = [NOW]
    async with opened(tmp_path) as bench:
        sandbox = Sandbox(clock=lambda: clock[0], webhook=bench.url, webhook_secret=SECRET)
        async with sandbox, httpx.AsyncClient(headers={"authorization": "Bearer any"}) as client:
            payload = {"model": "gpt-5", "input": "hello", "background": True}
            made = (await client.post(f"{sandbox.url}/responses", json=payload)).json()
            async with asyncio.timeout(30):
                while not (tasks := await bench.tasks()):
                    clock[0] += 1
                    await sandbox.backend.scheduler.run_due()
        assert [task.document["data"]["id"] for task in tasks] == [made["id"]]
        assert tasks[0].document["type"] == "response.completed"


async def test_a_file_of_secrets_is_read_for_every_event_through_a_whole_rotation(tmp_path: Path) -> None:
    """What `webhooks rotate` writes, and `--end-overlap` after a day, holds for a receiver that is running."""
    new, file = "whsec_c2VjcmV0LXR3bw==", tmp_path / "secret"
    file.write_text(f"{SECRET}\n")

    async def statuses(bench: Bench, step: str) -> list[int]:
        signers = {"old": SECRET, "new": new, "both": f"{new} {SECRET}"}
        return [(await bench.send(EVENT, f"wh_{step}_{name}", secret=one)).status_code for name, one in signers.items()]

    async with opened(tmp_path, secret="${file:secret}") as bench:
        assert await statuses(bench, "before") == [200, 400, 200]
        file.write_text(f"{new} {SECRET}\n")
        assert await statuses(bench, "overlap") == [200, 200, 200]
        file.write_text(f"{new}\n")
        assert await statuses(bench, "after") == [400, 200, 200]
        assert len(await bench.tasks()) == 7


async def test_the_end_of_a_batch_wakes_the_task_that_waits_for_it(tmp_path: Path) -> None:
    async with opened(tmp_path, batched=True) as bench:
        first, second = (await bench.store.commit(Change(accept=[
            NewTask(route="b:batch", document={"n": number}) for number in range(2)
        ]))).accepted  # fmt: skip
        for task in await bench.store.lease("b:batch", 2):
            number = 1 if task.id == first else 2
            waits = Settlement(task=task.id, state=TaskState.WAITING, reason=f"batch_{number} is in_progress", due=FAR)
            await bench.store.commit(Change(settle=[waits]))
        assert await bench.store.lease("b:batch", 2) == []
        assert (await bench.send(EVENT)).status_code == 200
        assert [task.id for task in await bench.store.lease("b:batch", 2)] == [first]
        failed = {**EVENT, "type": "batch.failed", "data": {"id": "batch_2"}}
        assert (await bench.send(failed, "wh_2")).json() is not None
        assert [task.id for task in await bench.store.lease("b:batch", 2)] == [second]
