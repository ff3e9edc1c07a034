"""What chains keep on a route is kept with the end of the task, or not at all."""

from __future__ import annotations

from typing import Any

import httpx

from connector.engine import TaskState
from connector.pipeline.storage import FolderStorage

NEW = [{"storage-filter-stored-entity": {"storage": "seen", "storage_key": "&{id}"}}]
SEEN = {"storages": {"seen": {}}}


async def test_a_document_whose_delivery_broke_off_is_new_still(bench: Any) -> None:
    at = await bench(route={"chain": NEW, "on_unknown": "retry"}, sections=SEEN)
    [number] = await at.accept({"id": "1", "text": "a"})
    await at.cut_off()
    await at.until_ended()
    assert (await at.task(number)).state is TaskState.FINISHED
    assert len(at.upstream.requests) == 2


async def test_a_document_that_waits_is_new_when_it_is_tried_again(bench: Any) -> None:
    fails = [True]

    def handler(_: httpx.Request) -> httpx.Response:
        return httpx.Response(429 if fails else 200, json={"id": "c"})

    at = await bench(handler, route={"chain": NEW}, sections=SEEN)
    [number] = await at.accept({"id": "1", "text": "a"})
    await at.work()
    fails.clear()
    await at.until_ended()
    assert (await at.task(number)).state is TaskState.FINISHED


async def test_a_delivered_document_is_known_after_a_restart(bench: Any) -> None:
    at = await bench(route={"chain": NEW}, sections=SEEN)
    await at.accept({"id": "1", "text": "a"})
    await at.work()
    await at.crash()
    same, changed = await at.accept({"id": "1", "text": "a"}, {"id": "1", "text": "b"})
    await at.work()
    assert (await at.task(same)).state is TaskState.SKIPPED
    assert (await at.task(changed)).state is TaskState.FINISHED


async def test_of_two_equal_documents_under_way_one_is_new(bench: Any) -> None:
    at = await bench(route={"chain": NEW}, sections=SEEN)
    await at.accept(*[{"id": "1", "text": "a"}] * 2)
    tasks = await at.store.lease("r", 2)
    changes = [await at.delivery().attempt(task) for task in tasks]
    assert [change.settle[0].state for change in changes] == [TaskState.FINISHED, TaskState.SKIPPED]


async def test_what_was_kept_before_is_known(bench: Any) -> None:
    look = [{"storage-get-entity-from-storage": {"storage": "seen", "storage_key": "&{id}", "destination": "text"}}]
    at = await bench(route={"chain": look}, sections=SEEN)
    await FolderStorage(at.folder / "storage/seen").put("1", "from before")
    await at.accept({"id": "1"})
    await at.work()
    assert at.upstream.posts[0]["messages"][0]["content"] == "from before"
