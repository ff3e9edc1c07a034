"""Evals run item by item, sampled by the sandbox's own model and graded."""

from __future__ import annotations

import openai
import pytest

CHECK = {"type": "string_check", "name": "same", "input": "{{sample.output_text}}", "operation": "eq"}
ITEMS = {"type": "object", "properties": {"question": {"type": "string"}, "answer": {"type": "string"}}}


def rows(*pairs: tuple[str, str]) -> list[dict]:
    return [{"item": {"question": question, "answer": answer}} for question, answer in pairs]


async def made(room, *criteria):
    return await room.client.evals.create(
        name="questions",
        data_source_config={"type": "custom", "item_schema": ITEMS, "include_sample_schema": True},
        testing_criteria=list(criteria or [{**CHECK, "reference": "{{item.answer}}"}]),
    )


def asking(content: list[dict], template: str = "{{item.question}}") -> dict:
    return {
        "type": "completions",
        "model": "gpt-4.1",
        "source": {"type": "file_content", "content": content},
        "input_messages": {"type": "template", "template": [{"role": "user", "content": template}]},
    }


async def ended(room, evaluation, source, **asked):
    run = await room.client.evals.runs.create(evaluation.id, data_source=source, **asked)
    await room.pass_time(10)
    run = await room.client.evals.runs.retrieve(run.id, eval_id=evaluation.id)
    return run, [one async for one in room.client.evals.runs.output_items.list(run.id, eval_id=evaluation.id)]


async def test_a_run_goes_through_its_items(room) -> None:
    evaluation = await made(room)
    run = await room.client.evals.runs.create(
        evaluation.id, name="first", data_source=asking(rows(("hello", "hello"), ("hello", "other")))
    )
    assert (run.status, run.result_counts.total) == ("queued", 2)
    await room.pass_time()
    assert (await room.client.evals.runs.retrieve(run.id, eval_id=evaluation.id)).status == "in_progress"
    await room.pass_time()
    done = await room.client.evals.runs.retrieve(run.id, eval_id=evaluation.id)
    assert done.status == "completed"
    [usage] = done.per_model_usage
    assert (usage.run_model_name, usage.invocation_count) == ("gpt-4.1", 2)
    assert usage.total_tokens > 0
    [criterion] = done.per_testing_criteria_results
    assert (criterion.passed + criterion.failed) == 2
    items = [one async for one in room.client.evals.runs.output_items.list(run.id, eval_id=evaluation.id, limit=1)]
    assert [one.datasource_item["answer"] for one in items] == ["hello", "other"]
    assert items[0].sample.input[0].content == "hello"
    assert room.told() == [("eval.run.succeeded", run.id)]


async def test_given_samples_are_graded_as_they_are(room) -> None:
    evaluation = await made(room)
    content = [
        {"item": {"answer": "Paris"}, "sample": {"output_text": "Paris"}},
        {"item": {"answer": "Paris"}, "sample": {"output_text": "Rome"}},
    ]
    source = {"type": "jsonl", "source": {"type": "file_content", "content": content}}
    run, items = await ended(room, evaluation, source)
    assert [item.status for item in items] == ["pass", "fail"]
    assert (run.result_counts.passed, run.result_counts.failed, run.result_counts.errored) == (1, 1, 0)
    failed = room.client.evals.runs.output_items.list(run.id, eval_id=evaluation.id, status="fail")
    assert [one.sample.output[0].content async for one in failed] == ["Rome"]


async def test_items_come_from_a_file(room) -> None:
    evaluation = await made(room)
    file = await room.file([{"item": {"answer": "a"}, "sample": {"output_text": "a"}}])
    run, items = await ended(room, evaluation, {"type": "jsonl", "source": {"type": "file_id", "id": file}})
    assert (run.status, len(items)) == ("completed", 1)
    bad = await room.file([{"question": "a"}])
    source = {"type": "jsonl", "source": {"type": "file_id", "id": bad}}
    with pytest.raises(openai.BadRequestError, match="Line 1"):
        await room.client.evals.runs.create(evaluation.id, data_source=source)


async def test_items_come_from_stored_completions(room) -> None:
    said = {"model": "gpt-4.1", "messages": [{"role": "user", "content": "stored words"}], "store": True}
    await room.client.chat.completions.create(**said, metadata={"use": "eval"})
    await room.client.chat.completions.create(**said)
    evaluation = await room.client.evals.create(
        data_source_config={"type": "stored_completions"},
        testing_criteria=[{**CHECK, "operation": "ilike", "reference": "stored words"}],
    )
    source = {"type": "stored_completions", "metadata": {"use": "eval"}}
    run, items = await ended(room, evaluation, {"type": "completions", "source": source})
    assert [item.status for item in items] == ["pass"]
    assert run.result_counts.total == 1


async def test_items_bring_their_own_messages(room) -> None:
    evaluation = await made(room, {**CHECK, "operation": "like", "reference": "from the item"})
    source = asking([{"item": {"input": [{"role": "user", "content": "from the item"}]}}])
    source["input_messages"] = {"type": "item_reference", "item_reference": "item.input"}
    _, items = await ended(room, evaluation, source)
    assert items[0].status == "pass"


async def test_a_template_that_names_what_is_not_there_is_an_error_of_its_item(room) -> None:
    evaluation = await made(room)
    run, items = await ended(room, evaluation, asking(rows(("a", "a")), "{{item.nothing}}"))
    assert (run.status, run.result_counts.errored) == ("failed", 1)
    assert "item.nothing" in items[0].sample.error.message
    assert room.told() == [("eval.run.failed", run.id)]


async def test_models_judge(rooms) -> None:
    script = [{"when": "contains(payload.messages[0].content, 'Judge')", "answer": {"json": {"label": "good"}}}]
    room = await rooms(script=script)
    label = {
        "type": "label_model", "name": "judge", "model": "gpt-4.1",
        "labels": ["good", "bad"], "passing_labels": ["good"],
        "input": [{"role": "user", "content": "Judge {{sample.output_text}}"}],
    }  # fmt: skip
    score = {
        "type": "score_model", "name": "score", "model": "gpt-4.1", "range": [0, 5], "pass_threshold": 0,
        "input": [{"role": "user", "content": "Score {{sample.output_text}}"}],
    }  # fmt: skip
    _, items = await ended(room, await made(room, label, score), asking(rows(("hello", "hello"))))
    first, second = items[0].results
    assert (first.score, first.passed) == (1, True)
    assert 0 <= second.score <= 5
    assert second.passed


async def test_code_is_never_run(room) -> None:
    python = {"type": "python", "name": "code", "source": "def grade(sample, item): return 1"}
    run, items = await ended(room, await made(room, python), asking(rows(("a", "a"))))
    assert run.result_counts.errored == 1
    assert "runs nobody's code" in items[0].results[0].sample["error"]


async def test_a_run_is_canceled_and_deleted(room) -> None:
    evaluation = await made(room)
    run = await room.client.evals.runs.create(evaluation.id, data_source=asking(rows(("a", "a"))))
    assert (await room.client.evals.runs.cancel(run.id, eval_id=evaluation.id)).status == "canceled"
    await room.pass_time(10)
    assert (await room.client.evals.runs.retrieve(run.id, eval_id=evaluation.id)).status == "canceled"
    listed = await room.client.evals.runs.list(evaluation.id, status="canceled")
    assert [one.id for one in listed.data] == [run.id]
    assert room.told() == [("eval.run.canceled", run.id)]
    await room.client.evals.runs.delete(run.id, eval_id=evaluation.id)
    assert not (await room.client.evals.runs.list(evaluation.id)).data


async def test_an_eval_is_changed_and_deleted(room) -> None:
    evaluation = await made(room)
    assert evaluation.data_source_config.schema_["required"] == ["item", "sample"]
    changed = await room.client.evals.update(evaluation.id, name="other", metadata={"a": "b"})
    assert (changed.name, changed.metadata) == ("other", {"a": "b"})
    assert (await room.client.evals.delete(evaluation.id)).deleted
    with pytest.raises(openai.NotFoundError):
        await room.client.evals.retrieve(evaluation.id)
