"""What is due is taken in its order, once, also after a restart."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from connector.sandbox.object_store import ObjectStore
from connector.sandbox.registry import TIMER_HANDLERS
from connector.sandbox.timers import Timer, TimerLoop, TimerQueue

A, B = Timer("files", "a", "", 2.0), Timer("thread runs", "b", "thread_1", 1.0)


@pytest.fixture
def objects():
    kept = ObjectStore()
    yield kept
    kept.close()


def test_the_earliest_goes_first_and_none_before_its_time(objects) -> None:
    table = TimerQueue(objects, "timetable")
    table.add(A)
    table.add(B)
    assert table.due == 1.0
    assert table.pop_due(0.9) is None
    assert [table.pop_due(5), table.pop_due(5), table.pop_due(5)] == [B, A, None]


def test_only_the_last_word_counts(objects) -> None:
    table = TimerQueue(objects, "timetable")
    table.add(A)
    table.add(replace(A, due=4.0))
    assert table.pop_due(3) is None
    assert table.pop_due(4) == replace(A, due=4.0)
    table.remove(A)
    table.add(B)
    table.remove(B)
    assert table.pop_due(9) is None


def test_what_was_taken_and_not_settled_is_found_again(objects) -> None:
    first = TimerQueue(objects, "timetable")
    first.add(A)
    first.add(B)
    assert first.pop_due(1) == B
    second = TimerQueue(objects, "timetable")
    assert [second.pop_due(5), second.pop_due(5)] == [B, A]
    second.remove(A)
    assert TimerQueue(objects, "timetable").pop_due(5) == B
    assert TimerQueue(objects, "another").pop_due(5) is None


async def test_one_who_fails_does_not_stop_the_others(caplog) -> None:
    called = asyncio.Queue()

    async def work() -> None:
        called.put_nowait(None)
        if "broken" not in caplog.text:
            raise ValueError("broken")

    background = TimerLoop(work, lambda: None)
    background.start()
    await called.get()
    background.wake()
    await called.get()
    await background.stop()
    assert "broken" in caplog.text


async def test_a_mover_that_fails_stops_its_object_and_no_other(room, caplog, monkeypatch) -> None:
    async def broken(backend, timer):
        raise ValueError("broken")

    monkeypatch.setattr(room.backend, "_timer_handlers", {**TIMER_HANDLERS, "uploads": broken})
    file = await room.client.files.create(
        file=("a.txt", b"a"), purpose="user_data", expires_after={"anchor": "created_at", "seconds": 3600}
    )
    await room.client.uploads.create(bytes=1, filename="a.txt", mime_type="text/plain", purpose="user_data")
    await room.pass_time(3600)
    assert "broken" in caplog.text
    assert not (await room.client.files.list()).data, file.id


async def test_a_reset_leaves_nothing_to_go_on(room) -> None:
    await room.client.responses.create(model="gpt-4.1", input="hello", background=True)
    room.sandbox.reset()
    again = await room.client.responses.create(model="gpt-4.1", input="hello", background=True)
    await room.pass_time(10)
    assert room.told() == [("response.completed", again.id)]
    assert (await room.client.responses.retrieve(again.id)).status == "completed"


async def test_use_does_not_lengthen_the_timetable(room) -> None:
    store = await room.client.vector_stores.create(expires_after={"anchor": "last_active_at", "days": 1})
    for _ in range(20):
        await room.client.vector_stores.search(store.id, query="x")
    assert len(room.backend.scheduler._timers._waiting) == 1


async def ids_of(room, moments: list[float]) -> list[str]:
    """The ids of what is made while a batch and a job go on at these moments."""
    client, example = (
        room.client,
        {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]},
    )
    body = {"model": "gpt-4.1", "messages": [{"role": "user", "content": "hello"}]}
    line = {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": body}
    rows = await room.file([line], "batch")
    batch = await client.batches.create(input_file_id=rows, endpoint="/v1/chat/completions", completion_window="24h")
    training = await room.file([example] * 10, "fine-tune")
    job = await client.fine_tuning.jobs.create(training_file=training, model="gpt-4o-mini")
    made = []
    for moment in moments:
        await room.pass_time(moment)
        made.append((await client.files.create(file=("a.txt", b"a"), purpose="user_data")).id)
    done = await client.batches.retrieve(batch.id)
    answers = [row["response"]["body"]["id"] for row in await room.lines(done.output_file_id)]
    model = (await client.fine_tuning.jobs.retrieve(job.id)).fine_tuned_model
    return [*made, done.output_file_id, *answers, model]


async def test_when_things_go_on_changes_no_id(rooms) -> None:
    early = await ids_of(await rooms(seed=3), [9, 0, 0])
    late = await ids_of(await rooms(seed=3), [0, 0, 9])
    assert early == late
    assert len(set(early)) == len(early)
    assert early != await ids_of(await rooms(seed=4), [9, 0, 0])
