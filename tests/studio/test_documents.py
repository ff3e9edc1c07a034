"""Documents that other processes put on a route."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from connector.engine import CallEnd, CallRecord, Change, Settlement, Store, TaskState, open_store
from tests.studio.kit import ANSWER, NOW

Bearer = Callable[[str], httpx.AsyncClient]
PLACE = "/routes/tickets/documents"


@pytest.mark.parametrize("store", ["sqlite", "postgresql"], indirect=True)
async def test_documents_are_tasks_when_they_are_acknowledged(call: Any, store: Store) -> None:
    given = [{"custom_id": "n1"}, {"custom_id": "n2"}, {"custom_id": "c1"}]
    found = await call("POST", PLACE, json={"documents": given})
    assert [(one["key"], one["known"]) for one in found] == [("n1", False), ("n2", False), ("c1", True)]
    assert found[2]["task"] == 1, "a document that the route knows leads to its task"
    task = await store.task(found[0]["task"])
    assert task is not None
    assert (task.route, task.document, task.state) == ("tickets", given[0], TaskState.NEW)


async def test_the_same_sent_again_counts_once_and_leads_to_the_same_task(call: Any, source: Any, context: Any) -> None:
    text = source.read_text().replace(", key: id}", "}")
    source.write_text(text)
    context.reload()
    documents = {"documents": [{"n": 1}, {"n": 1}]}
    again = {"idempotency-key": "wish-1"}
    first = await call("POST", "/routes/orders/documents", json=documents, headers=again)
    assert len({one["task"] for one in first}) == 2, "two equal documents of one request are two"
    second = await call("POST", "/routes/orders/documents", json=documents, headers=again)
    assert [one["task"] for one in second] == [one["task"] for one in first]
    assert [one["known"] for one in second] == [True, True]
    other = await call("POST", "/routes/orders/documents", json=documents, headers={"idempotency-key": "wish-2"})
    assert not {one["task"] for one in other} & {one["task"] for one in first}
    without = await call("POST", "/routes/orders/documents", json=documents)
    assert [one["known"] for one in without] == [False, False]


async def test_all_or_none_are_accepted(bearer: Bearer, store: Store) -> None:
    before = await store.counts("tickets")
    given = {"documents": [{"custom_id": "n1"}, {"no": "key"}]}
    answer = await bearer("operator").post(f"/api/v1{PLACE}", json=given)
    assert answer.status_code == 422
    assert "custom_id" in answer.json()["detail"]
    assert await store.counts("tickets") == before


async def test_a_viewer_and_an_unknown_route_are_refused(bearer: Bearer) -> None:
    given = {"documents": [{"custom_id": "n1"}]}
    assert (await bearer("viewer").post(f"/api/v1{PLACE}", json=given)).status_code == 403
    unknown = await bearer("operator").post("/api/v1/routes/tikets/documents", json=given)
    assert unknown.status_code == 404
    assert "did you mean 'tickets'" in unknown.json()["detail"]
    wrong = await bearer("operator").post(f"/api/v1{PLACE}", json=given, headers={"prefer": "wait=soon"})
    assert wrong.status_code == 422


async def test_a_caller_waits_for_the_answer(call: Any, source: Any, context: Any) -> None:
    context.monotonic = asyncio.get_running_loop().time
    runner = await open_store(f"sqlite:///{source.with_name('connector.db')}", clock=context.clock)

    async def work() -> None:
        while "n1" not in (leased := {task.key: task for task in await runner.lease("tickets", 100)}):
            await runner.wait_for_change(1)
        task = leased["n1"].id
        started = CallRecord(
            task=task, attempt=1, number=0, fingerprint="f", target="openai", operation="chat completions create",
            effect="opaque", request=None, started=NOW,
        )  # fmt: skip
        ended = CallEnd(task=task, attempt=1, number=0, ended=NOW, state="done", outcome=ANSWER)
        await runner.commit(Change(intend=[started]))
        await runner.commit(Change(end=[ended], settle=[Settlement(task=task, state=TaskState.FINISHED)]))

    worker = asyncio.create_task(work())
    (found,) = await call(
        "POST", PLACE, json={"documents": [{"custom_id": "n1"}]}, headers={"prefer": "respond-async, wait=20"}
    )
    await worker
    await runner.close()
    assert found["state"] == "finished"
    assert found["answers"][0]["choices"][0]["message"]["content"] == "Good morning!"


async def test_who_waits_too_short_is_told_the_state(call: Any, context: Any) -> None:
    context.monotonic = asyncio.get_running_loop().time
    (found,) = await call("POST", PLACE, json={"documents": [{"custom_id": "n9"}]}, headers={"prefer": "wait=0"})
    assert found["state"] is None
    (known,) = await call("POST", PLACE, json={"documents": [{"custom_id": "c5"}]}, headers={"prefer": "wait=1"})
    assert (known["state"], known["reason"]) == ("waiting", "429: rate limit reached")
