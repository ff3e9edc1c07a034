"""Documents published through an outgoing connection: on disk, answered or followed, and paid for once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from aiohttp import web

from connector.calls.host_calls import HostCall
from connector.config import Configuration
from connector.engine import Change, NewTask, TaskState, open_store
from connector.pipeline import load_configuration
from connector.studio.app import create_app
from connector.studio.client import AsyncStudioClient, StudioProblem, publish, read_published
from connector.studio.context import StudioContext
from connector.studio.published_calls import PublishedCalls, find_engine
from tests.engine.postgres import Database, PostgreSQL
from tests.studio.kit import ANSWER, ORIGIN, TOKENS

Bearer = Callable[[str], httpx.AsyncClient]
PLACE = "/api/v1/outgoing/reply/publish"
DOCUMENT = {"document": {"custom_id": "c1"}}


@dataclass
class Upstream:
    """Counts the calls, and answers each as the test says."""

    url: str = ""
    prompts: list[str] = field(default_factory=list[str])
    open: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    status: int = 200
    is_lost: bool = False

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        self.prompts.append(json.loads(await request.read())["messages"][-1]["content"])
        self.arrived.set()
        await self.open.wait()
        if self.is_lost and request.transport is not None:
            request.transport.abort()
        answer: Any = ANSWER
        return web.json_response(answer["body"] if self.status == 200 else {"error": {}}, status=self.status)


@pytest.fixture
async def upstream(source: Path) -> AsyncIterator[Upstream]:
    found = Upstream()
    found.open.set()
    server = web.Server(found, access_log=None)
    listener = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0)
    found.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    _point_at(found.url, source)
    yield found
    found.open.set()
    listener.close()
    await server.shutdown(0.1)


def _keep_tasks_in(engine: str, source: Path) -> None:
    source.write_text(f"engine: {json.dumps(engine)}\n{source.read_text()}")


def _point_at(url: str, source: Path) -> None:
    source.write_text(source.read_text().replace("http://127.0.0.1:9", url))


@pytest.fixture
def operator(upstream: Upstream, context: StudioContext, bearer: Bearer) -> httpx.AsyncClient:
    """A client whose studio calls the upstream."""
    assert upstream.url
    context.reload()
    return bearer("operator")


async def test_a_document_is_published_and_answered(operator: httpx.AsyncClient, upstream: Upstream) -> None:
    answer = await operator.post(PLACE, json=DOCUMENT)
    found = answer.json()
    assert (answer.status_code, found["state"], found["repeat"]) == (200, "finished", False)
    assert found["documents"][0]["choices"][0]["message"]["content"] == "Good morning!"
    assert upstream.prompts == ["Greet customer c1."]
    assert answer.headers["location"] == f"/api/v1/outgoing/reply/published/{found['task']}"
    assert (await operator.get(answer.headers["location"])).json() == {**found, "repeat": True}


async def test_a_repeated_key_is_answered_and_not_paid_for_again(
    operator: httpx.AsyncClient, upstream: Upstream, context: StudioContext
) -> None:
    key = {"idempotency-key": "wish-1"}
    first = (await operator.post(PLACE, json=DOCUMENT, headers=key)).json()
    second = (await operator.post(PLACE, json=DOCUMENT, headers=key)).json()
    assert second == {**first, "repeat": True}
    await context.published.close()
    context.published = PublishedCalls()  # another process
    third = (await operator.post(PLACE, json=DOCUMENT, headers=key)).json()
    assert third == second
    assert len(upstream.prompts) == 1
    other = await operator.post(PLACE, json={"document": {"custom_id": "c2"}}, headers=key)
    assert other.status_code == 409
    assert "another call needs a key of its own" in other.json()["detail"]
    assert (await operator.post(PLACE, json=DOCUMENT)).json()["task"] != first["task"]
    assert len(upstream.prompts) == 2


async def test_who_does_not_wait_follows(operator: httpx.AsyncClient, upstream: Upstream) -> None:
    upstream.open.clear()
    key = {"idempotency-key": "k", "prefer": "respond-async"}
    accepted = await operator.post(PLACE, json=DOCUMENT, headers=key)
    assert (accepted.status_code, accepted.json()["documents"]) == (202, [])
    again = await operator.post(PLACE, json=DOCUMENT, headers=key)
    assert again.status_code == 202
    assert again.json()["task"] == accepted.json()["task"]
    conflict = await operator.post(PLACE, json={"document": 1}, headers=key)
    assert conflict.status_code == 409
    await upstream.arrived.wait()
    assert (await operator.get(accepted.headers["location"])).status_code == 202
    upstream.open.set()
    found = await operator.post(PLACE, json=DOCUMENT, headers={**key, "prefer": "wait=20"})
    assert (found.status_code, found.json()["state"]) == (200, "finished")
    assert (await operator.get(accepted.headers["location"])).status_code == 200
    assert len(upstream.prompts) == 1


async def test_a_caller_who_leaves_breaks_nothing_off(operator: httpx.AsyncClient, upstream: Upstream) -> None:
    upstream.open.clear()
    asked = asyncio.create_task(operator.post(PLACE, json=DOCUMENT, headers={"idempotency-key": "k"}))
    await upstream.arrived.wait()
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    upstream.open.set()
    found = (await operator.post(PLACE, json=DOCUMENT, headers={"idempotency-key": "k"})).json()
    assert found["state"] == "finished"
    assert len(upstream.prompts) == 1


async def test_an_unknown_outcome_is_told_with_its_evidence_and_never_repeated(
    operator: httpx.AsyncClient, upstream: Upstream
) -> None:
    upstream.is_lost = True
    for repeat in (False, True):
        answer = await operator.post(PLACE, json=DOCUMENT, headers={"idempotency-key": "k"})
        found = answer.json()
        assert (answer.status_code, found["state"], found["repeat"]) == (200, "unknown", repeat)
        [doubt] = found["doubts"]
        assert "chat completions create" in doubt["operation"]
        assert doubt["evidence"]
    assert len(upstream.prompts) == 1


async def test_what_is_refused_has_not_taken_effect_and_may_be_tried_again(
    operator: httpx.AsyncClient, upstream: Upstream
) -> None:
    upstream.status = 400
    key = {"idempotency-key": "k"}
    assert (await operator.post(PLACE, json=DOCUMENT, headers=key)).json()["state"] == "failed"
    upstream.status = 200
    found = (await operator.post(PLACE, json=DOCUMENT, headers=key)).json()
    assert (found["state"], found["repeat"]) == ("finished", False)


async def test_what_a_killed_studio_accepted_goes_on_with_the_next(
    operator: httpx.AsyncClient, upstream: Upstream, context: StudioContext
) -> None:
    store = await open_store(find_engine(context.configuration.engine_url))
    task = NewTask(route="publish/reply", document={"custom_id": "left"}, key="operator/k", unique="key")
    [number] = (await store.commit(Change(accept=[task]))).accepted
    await store.close()
    await context.published.resume(context.configuration)
    await upstream.arrived.wait()
    headers = {"idempotency-key": "k", "prefer": "wait=20"}
    found = (await operator.post(PLACE, json={"document": {"custom_id": "left"}}, headers=headers)).json()
    assert (found["task"], found["state"]) == (number, "finished")
    assert upstream.prompts == ["Greet customer left."]


async def test_a_studio_that_stops_ends_nothing(
    operator: httpx.AsyncClient, upstream: Upstream, context: StudioContext
) -> None:
    upstream.status = 429
    headers = {"idempotency-key": "k", "prefer": "wait=1"}
    accepted = await operator.post(PLACE, json=DOCUMENT, headers=headers)
    assert accepted.status_code == 202
    await context.published.close()
    context.published = PublishedCalls()
    upstream.status = 200
    await context.published.resume(context.configuration)
    found = (await operator.post(PLACE, json=DOCUMENT, headers={**headers, "prefer": "wait=60"})).json()
    assert (found["task"], found["state"]) == (accepted.json()["task"], "finished")


async def test_a_configuration_that_was_edited_makes_the_next_calls(
    operator: httpx.AsyncClient, upstream: Upstream, context: StudioContext
) -> None:
    await operator.post(PLACE, json=DOCUMENT)
    context.source.write_text(context.source.read_text().replace("Greet customer", "Thank customer"))
    context.reload()
    await operator.post(PLACE, json=DOCUMENT)
    assert upstream.prompts == ["Greet customer c1.", "Thank customer c1."]


async def test_who_may_not_and_what_is_not_there(bearer: Bearer, operator: httpx.AsyncClient) -> None:
    assert (await bearer("viewer").post(PLACE, json=DOCUMENT)).status_code == 403
    assert (await operator.post(PLACE.replace("reply", "replie"), json=DOCUMENT)).status_code == 404
    assert (await operator.get("/api/v1/outgoing/reply/published/77")).status_code == 404
    assert (await operator.post(PLACE, json={})).status_code == 422
    assert (await operator.post(PLACE, json=DOCUMENT, headers={"prefer": "wait=soon"})).status_code == 422


async def test_two_people_may_use_the_same_key(operator: httpx.AsyncClient, bearer: Bearer, upstream: Upstream) -> None:
    key = {"idempotency-key": "k"}
    first = (await operator.post(PLACE, json=DOCUMENT, headers=key)).json()
    second = (await bearer("editor").post(PLACE, json=DOCUMENT, headers=key)).json()
    assert first["task"] != second["task"]
    assert len(upstream.prompts) == 2


async def test_another_studio_that_publishes_already(
    operator: httpx.AsyncClient, upstream: Upstream, context: StudioContext
) -> None:
    store = await open_store(find_engine(context.configuration.engine_url))
    try:
        answer = await operator.post(PLACE, json=DOCUMENT)
        assert not answer.is_success
        assert answer.json()["detail"]
        await context.published.resume(context.configuration)
    finally:
        await store.close()
    assert (await operator.post(PLACE, json=DOCUMENT)).json()["state"] == TaskState.FINISHED.value
    assert len(upstream.prompts) == 1


async def test_the_typed_client_publishes(
    operator: httpx.AsyncClient, upstream: Upstream, context: StudioContext
) -> None:
    assert operator
    transport = httpx.ASGITransport(create_app(context))
    async with AsyncStudioClient(ORIGIN, TOKENS["operator"], transport=transport) as client:
        found = await client.send(publish("reply", {"custom_id": "c1"}, wait=20), key="k")
        assert (found.state, found.repeat) == ("finished", False)
        assert (await client.send(read_published("reply", found.task))).documents == found.documents
        with pytest.raises(StudioProblem):
            await client.send(publish("reply", {"custom_id": "c2"}), key="k")
    assert len(upstream.prompts) == 1


@pytest.fixture
async def database(postgres: Database, source: Path, upstream: Upstream) -> AsyncIterator[Configuration]:
    """The configuration with its tasks in a PostgreSQL, calling the upstream; the tasks are gone afterwards."""
    assert upstream.url
    url = await postgres.url()
    _keep_tasks_in(url, source)
    yield load_configuration(source)
    await PostgreSQL(url).close()


async def test_studios_on_one_database_pay_once(database: Configuration, upstream: Upstream) -> None:
    upstream.open.clear()
    here, there = PublishedCalls(), PublishedCalls()
    asked = HostCall(document={"custom_id": f"c{uuid4()}"}, key=str(uuid4()), owner="operator")
    try:
        begun = await here.publish(database, "reply", asked, 0)
        await upstream.arrived.wait()
        await there.resume(database)
        repeated = asyncio.create_task(there.publish(database, "reply", asked, 60))
        assert await there.read(database, "reply", begun.task)
        upstream.open.set()
        ended = [await here.publish(database, "reply", asked, 60), await repeated]
    finally:
        await here.close()
        await there.close()
    assert [(one.task, one.state) for one in ended] == [(begun.task, TaskState.FINISHED)] * 2
    assert ended[0].documents == ended[1].documents
    assert len(upstream.prompts) == 1
