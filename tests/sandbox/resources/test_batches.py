"""Batches run their lines through the sandbox, and end as time and the lines will have it."""

from __future__ import annotations

import json

import openai
import pytest

CHAT = "/v1/chat/completions"


def line(name: str, said: str = "hello", *, url: str = CHAT, **body) -> dict:
    messages = {"messages": [{"role": "user", "content": said}]} if url == CHAT else {}
    return {"custom_id": name, "method": "POST", "url": url, "body": {"model": "gpt-4.1", **messages, **body}}


async def begun(room, rows, endpoint: str = CHAT, **asked):
    file = await room.file(rows, "batch", "rows.jsonl")
    return await room.client.batches.create(input_file_id=file, endpoint=endpoint, completion_window="24h", **asked)


async def test_states_move_with_time(room) -> None:
    batch = await begun(room, [line("a", "one"), line("b", "two")], metadata={"key": "7"})
    assert batch.status == "validating"
    seen = []
    for _ in range(4):
        seen.append((await room.client.batches.retrieve(batch.id)).status)
        await room.pass_time()
    done = await room.client.batches.retrieve(batch.id)
    assert [*seen, done.status] == ["validating", "in_progress", "finalizing", "completed", "completed"]
    moments = (done.created_at, done.in_progress_at, done.finalizing_at, done.completed_at)
    assert moments == tuple(done.created_at + second for second in range(4))
    assert done.metadata == {"key": "7"}
    assert room.told() == [("batch.completed", batch.id)]


async def test_every_line_is_answered_in_the_files(room) -> None:
    rows = [line("good", "say this"), line("bad", n=0), line("fine", "and that")]
    batch = await begun(room, rows)
    await room.pass_time(10)
    done = await room.client.batches.retrieve(batch.id)
    assert (done.request_counts.total, done.request_counts.completed, done.request_counts.failed) == (3, 2, 1)
    output, errors = await room.lines(done.output_file_id), await room.lines(done.error_file_id)
    assert [row["custom_id"] for row in output] == ["good", "fine"]
    assert output[0]["response"]["status_code"] == 200
    assert "say this" in output[0]["response"]["body"]["choices"][0]["message"]["content"]
    assert errors[0]["custom_id"] == "bad"
    assert errors[0]["response"]["status_code"] == 400
    assert errors[0]["response"]["body"]["error"]["message"]
    assert output[0].keys() == errors[0].keys() == {"id", "custom_id", "response", "error"}
    file = await room.client.files.retrieve(done.output_file_id)
    assert (file.purpose, file.filename) == ("batch_output", f"{batch.id}_output.jsonl")
    spent = sum(row["response"]["body"]["usage"]["total_tokens"] for row in output)
    assert (done.usage.total_tokens, done.model) == (spent, "gpt-4.1")


async def test_a_batch_whose_every_line_failed_has_no_output_file(room) -> None:
    batch = await begun(room, [line("a", n=0), line("b", n=0)])
    await room.pass_time(10)
    done = await room.client.batches.retrieve(batch.id)
    assert (done.status, done.output_file_id) == ("completed", None)
    assert len(await room.lines(done.error_file_id)) == 2


@pytest.mark.parametrize(
    ("url", "body"),
    [
        ("/v1/embeddings", {"model": "text-embedding-3-small", "input": "hello"}),
        ("/v1/responses", {"input": "hello"}),
        ("/v1/moderations", {"model": "omni-moderation-latest", "input": "hello"}),
        ("/v1/completions", {"model": "gpt-3.5-turbo-instruct", "prompt": "hello"}),
        ("/v1/images/generations", {"model": "gpt-image-1", "prompt": "a cat"}),
        ("/v1/videos", {"model": "sora-2", "prompt": "a cat"}),
    ],
)
async def test_every_endpoint_takes_batches(room, url, body) -> None:
    batch = await begun(room, [line("a", url=url, **body)], url)
    await room.pass_time(10)
    done = await room.client.batches.retrieve(batch.id)
    assert done.request_counts.completed == 1, await room.lines(done.error_file_id)


@pytest.mark.parametrize(
    ("rows", "code", "number"),
    [
        ([line("a"), line("a")], "duplicate_custom_id", 2),
        ([line("a"), line("b", url="/v1/embeddings")], "invalid_url", 2),
        ([{**line("a"), "method": "GET"}], "invalid_method", 1),
        ([{"custom_id": "a"}], "missing_required_parameter", 1),
        ([line("a"), line("b", model="gpt-4o")], "mismatched_model", 2),
        ([line("a", stream=True)], "streaming_unsupported", 1),
        (b'{"custom_id": \n', "invalid_json_line", 1),
        (b"[]\n", "invalid_json_line", 1),
        (b"\n", "empty_file", None),
    ],
)
async def test_a_wrong_input_file_fails_the_batch_with_its_faults(room, rows, code, number) -> None:
    batch = await begun(room, rows)
    await room.pass_time()
    failed = await room.client.batches.retrieve(batch.id)
    assert failed.status == "failed"
    assert (failed.errors.data[0].code, failed.errors.data[0].line) == (code, number)
    assert failed.request_counts.total == 0
    assert room.told() == [("batch.failed", batch.id)]


async def test_too_many_lines_fail_the_batch(room) -> None:
    batch = await begun(room, b"{}\n" * 50_001)
    await room.pass_time()
    assert (await room.client.batches.retrieve(batch.id)).errors.data[0].code == "too_many_requests"


async def test_an_input_file_has_the_right_purpose(room) -> None:
    file = await room.file("x", "user_data")
    with pytest.raises(openai.BadRequestError, match="takes one for 'batch'"):
        await room.client.batches.create(input_file_id=file, endpoint=CHAT, completion_window="24h")
    with pytest.raises(openai.NotFoundError):
        await room.client.batches.create(input_file_id="file-none", endpoint=CHAT, completion_window="24h")


async def test_an_input_file_that_is_gone_fails_the_batch(room) -> None:
    batch = await begun(room, [line("a")])
    await room.client.files.delete(batch.input_file_id)
    await room.pass_time()
    failed = await room.client.batches.retrieve(batch.id)
    assert failed.errors.data[0].code == "file_not_found"


async def test_a_cancelled_batch_keeps_what_was_done(room) -> None:
    batch = await begun(room, [line(str(n)) for n in range(4)])
    await room.pass_time(1.5)
    going = await room.client.batches.retrieve(batch.id)
    assert (going.status, going.request_counts.completed) == ("in_progress", 2)
    assert (await room.client.batches.cancel(batch.id)).status == "cancelling"
    await room.pass_time()
    ended = await room.client.batches.retrieve(batch.id)
    assert (ended.status, ended.request_counts.completed) == ("cancelled", 2)
    assert [row["custom_id"] for row in await room.lines(ended.output_file_id)] == ["0", "1"]
    left = await room.lines(ended.error_file_id)
    assert [row["custom_id"] for row in left] == ["2", "3"]
    assert {row["error"]["code"] for row in left} == {"batch_cancelled"}
    assert room.told() == [("batch.cancelled", batch.id)]
    done = await begun(room, [line("a")])
    await room.pass_time(10)
    with pytest.raises(openai.ConflictError, match="completed"):
        await room.client.batches.cancel(done.id)


async def test_a_batch_that_is_not_done_in_a_day_expires(rooms) -> None:
    room = await rooms(pace=60_000, webhook="http://127.0.0.1:9/")
    batch = await begun(room, [line(str(n)) for n in range(4)])
    await room.pass_time(86_399)
    assert (await room.client.batches.retrieve(batch.id)).status == "in_progress"
    await room.pass_time(1)
    ended = await room.client.batches.retrieve(batch.id)
    assert (ended.status, ended.expired_at) == ("expired", batch.created_at + 86_400)
    assert [row["custom_id"] for row in await room.lines(ended.output_file_id)] == ["0"]
    assert {row["error"]["code"] for row in await room.lines(ended.error_file_id)} == {"batch_expired"}
    assert room.told() == [("batch.expired", batch.id)]


async def test_output_files_expire_when_that_was_asked_for(room) -> None:
    batch = await begun(room, [line("a")], output_expires_after={"anchor": "created_at", "seconds": 3600})
    await room.pass_time(10)
    output = (await room.client.batches.retrieve(batch.id)).output_file_id
    await room.pass_time(3600)
    with pytest.raises(openai.NotFoundError):
        await room.client.files.retrieve(output)


async def test_a_batch_goes_on_after_a_restart_and_runs_no_line_twice(rooms, tmp_path) -> None:
    state = tmp_path / "state"
    first = await rooms(state=state)
    batch = await begun(first, [line(str(n)) for n in range(4)])
    await first.pass_time(1.5)
    await first.sandbox.stop()
    second = await rooms(state=state)
    await second.pass_time(1.5)
    assert (await second.client.batches.retrieve(batch.id)).request_counts.completed == 2
    await second.pass_time(10)
    done = await second.client.batches.retrieve(batch.id)
    assert done.status == "completed"
    assert [row["custom_id"] for row in await second.lines(done.output_file_id)] == ["0", "1", "2", "3"]


async def test_lists_have_the_newest_first(room) -> None:
    made = [(await begun(room, [line("a")])).id for _ in range(3)]
    assert [batch.id async for batch in room.client.batches.list(limit=2)] == made[::-1]


async def test_a_thousand_lines_are_run_without_being_asked(rooms) -> None:
    room = await rooms(pace=0)
    batch = await begun(room, [line(str(n)) for n in range(1000)])
    while (done := await room.client.batches.retrieve(batch.id)).status != "completed":
        pass
    assert done.request_counts.completed == 1000
    assert json.dumps(done.errors) == "null"
