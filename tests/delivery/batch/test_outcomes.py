"""What becomes of tasks whose line, or whose whole batch, does not go well."""

from __future__ import annotations

from typing import Any

import pytest

from connector.sandbox.script import load_script


def refused(text: str, status: int) -> dict[str, Any]:
    return {"when": f"payload.messages[-1].content == '{text}'", "answer": {"status": status}}


def faulty(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"faults": list(rules)}


async def test_a_line_that_is_wrong_fails_and_its_neighbours_do_not(bench) -> None:
    at = await bench({"answers": [refused("two", 400)]})
    _, wrong = await at.accept("one", "two")
    await at.live()
    assert await at.states() == {"finished": 1, "failed": 1}
    assert "refused with status 400" in (await at.task(wrong)).reason
    assert len(at.things("batches")) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_line_that_may_pass_with_time_goes_in_the_next_batch(bench, status: int) -> None:
    at = await bench({"answers": [refused("two", status)]})
    _, later = await at.accept("one", "two")
    await at.gather()
    for _ in range(20):
        await at.step("r:batch")
        await at.pass_time(5)
    assert await at.states() == {"finished": 1, "waiting": 1}
    at.sandbox.backend.script = load_script(None)[0]
    await at.live()
    assert await at.states() == {"finished": 2}
    assert [one["request_counts"]["total"] for one in at.things("batches")] == [2, 1]
    assert [call.state for call in (await at.task(later)).calls] == ["refused", "done"]


async def test_a_line_that_never_passes_fails_after_its_attempts(bench) -> None:
    at = await bench({"answers": [refused("one", 429)]})
    [task] = await at.accept("one")
    await at.live()
    assert await at.states() == {"failed": 1}
    assert len((await at.task(task)).calls) == 3
    [batch, *_] = at.things("batches")
    assert not batch.get("output_file_id")


async def test_of_an_expired_batch_the_paid_answers_are_used_and_the_rest_goes_again(bench) -> None:
    at = await bench()
    tasks = await at.accept("one", "two", "three", "four")
    at.sandbox.backend.options = at.sandbox.backend.options.__class__(pace=50_000.0)
    await at.gather()
    await at.step("r:batch")
    for _ in range(6):
        await at.pass_time(20_000)
        await at.step("r:batch")
    [batch] = at.things("batches")
    assert batch["status"] == "expired"
    assert 0 < batch["request_counts"]["completed"] < 4
    assert (await at.states())["finished"] == batch["request_counts"]["completed"]
    at.sandbox.backend.options = at.sandbox.backend.options.__class__(pace=1.0)
    await at.live()
    assert await at.states() == {"finished": 4}
    assert at.ran() == tasks


async def test_of_a_cancelled_batch_the_rest_goes_again(bench) -> None:
    at = await bench()
    tasks = await at.accept("one", "two")
    await at.gather()
    await at.step("r:batch")
    [batch] = at.things("batches")
    client = at.runtime.client("openai")
    wire = client.prepare("batches cancel", {"path": {"batch_id": batch["id"]}})
    assert (await client.send(wire)).ok
    await at.live()
    assert [one["status"] for one in at.things("batches")] == ["cancelled", "completed"]
    assert await at.states() == {"finished": 2}
    assert at.ran() == tasks


async def test_an_answer_that_was_paid_for_and_is_gone_is_not_bought_again(bench) -> None:
    at = await bench()
    [task] = await at.accept("one")
    await at.gather()
    await at.step("r:batch")
    for _ in range(4):
        await at.pass_time(1)
    [batch] = at.things("batches")
    at.sandbox.backend.objects.delete("files", batch["output_file_id"])
    await at.live()
    assert await at.states() == {"unknown": 1}
    assert "its answer is not there any more" in (await at.task(task)).reason
    assert len(at.things("batches")) == 1


async def test_a_lost_answer_is_bought_again_where_that_is_said(bench) -> None:
    at = await bench(out={"on_unknown": "retry"})
    [task] = await at.accept("one")
    await at.gather()
    await at.step("r:batch")
    for _ in range(4):
        await at.pass_time(1)
    [batch] = at.things("batches")
    at.sandbox.backend.objects.delete("files", batch["output_file_id"])
    await at.live()
    assert await at.states() == {"finished": 1}
    assert "sent again although it may have taken effect" in (await at.task(task)).reason


async def test_a_batch_that_is_not_begun_names_the_lines_that_are_wrong(bench) -> None:
    errors = [{"code": "invalid_url", "message": "this line is wrong", "line": 2, "param": "url"}]
    body = {
        "id": "batch_1", "object": "batch", "status": "failed", "errors": {"object": "list", "data": errors},
    }  # fmt: skip
    rule = {"operation": "batches retrieve", "nth": 1, "answer": {"status": 200, "body": body}}
    at = await bench(faulty(rule))
    _, wrong, _ = await at.accept("one", "two", "three")
    await at.live()
    assert await at.states() == {"finished": 2, "failed": 1}
    assert "this line is wrong" in (await at.task(wrong)).reason


@pytest.mark.parametrize("operation", ["files create", "batches create"])
async def test_what_was_made_though_nobody_saw_it_is_found(bench, operation: str) -> None:
    at = await bench(faulty({"operation": operation, "nth": 1, "fault": "drop-after"}))
    tasks = await at.accept("one", "two")
    await at.live()
    assert await at.states() == {"finished": 2}
    assert len(at.things("batches")) == 1
    assert at.ran() == tasks
    assert [file["purpose"] for file in at.things("files")] == ["batch_output"]


@pytest.mark.parametrize("operation", ["files create", "batches create"])
async def test_a_batch_that_cannot_be_made_fails_its_tasks_and_leaves_no_file(bench, operation: str) -> None:
    at = await bench(faulty({"operation": operation, "fault": "400"}))
    await at.accept("one", "two")
    await at.live()
    assert await at.states() == {"failed": 2}
    assert await at.states("r:batch") == {"failed": 1}
    assert at.things("files") == []


@pytest.mark.parametrize("operation", ["files create", "batches create", "batches retrieve", "file content retrieve"])
async def test_a_server_in_trouble_is_asked_again(bench, operation: str) -> None:
    at = await bench(faulty({"operation": operation, "nth": [1], "fault": "503"}))
    tasks = await at.accept("one", "two")
    await at.live()
    assert await at.states() == {"finished": 2}
    assert at.ran() == tasks


async def test_a_file_that_cannot_be_removed_is_told_of(bench) -> None:
    at = await bench(faulty({"operation": "files delete", "fault": "500"}))
    await at.accept("one")
    await at.live()
    [batch] = await at.store.tasks(_filter("r:batch"))
    assert "could not be removed" in batch.reason
    assert await at.states() == {"finished": 1}


def _filter(route: str) -> Any:
    from connector.engine import Filter

    return Filter(route=route)
