"""A route's requests through the Batch API: gathered, sent, answered, each task settled by its own line."""

from __future__ import annotations


async def test_every_answer_comes_back_to_its_task(bench) -> None:
    at = await bench()
    first, second = await at.accept("one", "two")
    await at.live()
    assert await at.states() == {"finished": 2}
    assert await at.states("r:batch") == {"finished": 1}
    assert sorted(at.written()) == ["one", "two"]
    [batch] = at.things("batches")
    assert (batch["endpoint"], batch["status"]) == ("/v1/chat/completions", "completed")
    assert batch["request_counts"] == {"total": 2, "completed": 2, "failed": 0}
    task = await at.task(first)
    [call] = task.calls
    assert call.state == "done"
    assert call.outcome["body"]["choices"][0]["message"]["content"]
    assert call.request["body"]["messages"] == [{"role": "user", "content": "one"}]
    assert (await at.task(second)).attempts == 1


async def test_the_file_of_its_lines_is_removed_and_the_answers_stay(bench) -> None:
    at = await bench()
    await at.accept("one")
    await at.live()
    assert [file["purpose"] for file in at.things("files")] == ["batch_output"]


async def test_the_answers_are_removed_when_that_is_asked_for(bench) -> None:
    at = await bench(out={"batch": {"delete_output": True}})
    await at.accept("one")
    await at.live()
    assert at.things("files") == []
    assert await at.states() == {"finished": 1}
