"""What is due is taken in its order, once, also after a restart."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from connector.sandbox.call import Objects
from connector.sandbox.processes.background import Background
from connector.sandbox.processes.timetable import Entry, Timetable

A, B = Entry("files", "a", "", 2.0), Entry("thread runs", "b", "thread_1", 1.0)


@pytest.fixture
def objects():
    kept = Objects()
    yield kept
    kept.close()


def test_the_earliest_goes_first_and_none_before_its_time(objects) -> None:
    table = Timetable(objects, "timetable")
    table.put(A)
    table.put(B)
    assert table.due == 1.0
    assert table.take(0.9) is None
    assert [table.take(5), table.take(5), table.take(5)] == [B, A, None]


def test_only_the_last_word_counts(objects) -> None:
    table = Timetable(objects, "timetable")
    table.put(A)
    table.put(replace(A, due=4.0))
    assert table.take(3) is None
    assert table.take(4) == replace(A, due=4.0)
    table.drop(A)
    table.put(B)
    table.drop(B)
    assert table.take(9) is None


def test_what_was_taken_and_not_settled_is_found_again(objects) -> None:
    first = Timetable(objects, "timetable")
    first.put(A)
    first.put(B)
    assert first.take(1) == B
    second = Timetable(objects, "timetable")
    assert [second.take(5), second.take(5)] == [B, A]
    second.drop(A)
    assert Timetable(objects, "timetable").take(5) == B
    assert Timetable(objects, "another").take(5) is None


async def test_one_who_fails_does_not_stop_the_others(caplog) -> None:
    called = asyncio.Queue()

    async def work() -> None:
        called.put_nowait(None)
        if "broken" not in caplog.text:
            raise ValueError("broken")

    background = Background(work, lambda: None)
    background.start()
    await called.get()
    background.stir()
    await called.get()
    await background.stop()
    assert "broken" in caplog.text
