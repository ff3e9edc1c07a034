"""Readings of a run: one of a route at a time, in one worker of all, tried again when they break off."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from connector.engine import StoreBroken
from connector.errors import ConfigurationError
from connector.intake.reading import ReadingCounts
from connector.intake.readings import Readings
from connector.model import CallFailed, Outcome, State
from connector.timing import Timing
from tests.runtime.kit import until
from tests.runtime.memory import MemoryStore

AWAY = CallFailed(Outcome(State.NOT_SENT, reason="the network is away"))


class Script:
    """A reading that does what a test says."""

    def __init__(self, does: Callable[[], Awaitable[None]]) -> None:
        self.does = does
        self.tally = ReadingCounts()
        self.stopped = asyncio.Event()

    async def run(self) -> ReadingCounts:
        await self.does()
        return self.tally

    def stop(self) -> None:
        self.stopped.set()


class Bench:
    def __init__(self, *does: Any, again: bool = True) -> None:
        self.does = list(does)
        self.made: list[Script] = []
        self.ended: list[str] = []
        self.errors: list[BaseException] = []
        self.slept: list[float] = []
        self.store = MemoryStore()
        self.readings = Readings(
            self.make,  # type: ignore[arg-type]  # as much of a reading as is needed
            self.store,
            ended=lambda route, _: self.ended.append(route),
            broken=self.errors.append,
            redact=lambda text: text.replace("secret", "***"),
            again=again,
            timing=Timing(sleep=self.sleep),
        )

    def make(self, route: str) -> Script:
        found = self.does.pop(0)

        async def does() -> None:
            if isinstance(found, BaseException):
                raise found
            if found is not None:
                await found()

        self.made.append(Script(does))
        return self.made[-1]

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)

    async def over(self) -> None:
        await until(lambda: not self.readings.under_way)


async def test_a_route_is_read_once_at_a_time() -> None:
    go_on = asyncio.Event()
    bench = Bench(go_on.wait, None)
    bench.readings.start("a")
    bench.readings.start("a")
    await until(lambda: len(bench.made) == 1)
    go_on.set()
    await bench.over()
    assert (len(bench.made), bench.ended) == (1, ["a"])
    bench.readings.start("a")
    await bench.over()
    assert len(bench.made) == 2


async def test_a_service_tries_again_what_may_pass(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(AWAY, AWAY, None)
    bench.readings.start("a")
    await bench.over()
    assert bench.slept == [5.0, 10.0]
    assert bench.ended == ["a"]
    assert bench.readings.failed == {}
    assert "it is tried again in 5 s" in caplog.text


async def test_a_run_that_is_to_end_tries_once_and_tells(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(AWAY, again=False)
    bench.readings.start("a")
    await bench.over()
    assert bench.readings.failed == {"a": AWAY}


async def test_what_is_wrong_with_the_configuration_is_not_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(ConfigurationError("no such file: secret.jsonl"))
    bench.readings.start("a")
    await bench.over()
    assert bench.slept == []
    assert "no such file: ***.jsonl" in caplog.text


async def test_a_broken_store_ends_the_run() -> None:
    bench = Bench(StoreBroken("gone"))
    bench.readings.start("a")
    await bench.over()
    assert isinstance(bench.errors[0], StoreBroken)


async def test_a_stop_is_told_to_readings_and_nothing_new_begins() -> None:
    bench = Bench(None, None)
    script: list[Script] = []

    async def until_stopped() -> None:
        script.append(bench.made[-1])
        await bench.made[-1].stopped.wait()

    bench.does[0] = until_stopped
    bench.readings.start("a")
    await until(lambda: bool(script))
    await bench.readings.stop()
    bench.readings.start("b")
    assert not bench.readings.under_way
    assert len(bench.made) == 1


class Led(MemoryStore):
    """A store in which another worker reads until a test says that it does not."""

    def __init__(self) -> None:
        super().__init__()
        self.other = True

    async def lead(self, name: str, seconds: float) -> bool:
        return not self.other


@pytest.mark.parametrize(("left_open", "reads"), [(False, 0), (True, 1)])
async def test_what_another_worker_reads_is_waited_for_and_gone_on_with(left_open: bool, reads: int) -> None:
    bench = Bench(None, again=False)
    store = bench.readings._store = Led()
    bench.readings.start("a")
    await until(lambda: len(bench.slept) == 3)
    assert bench.made == []
    store.positions["a"] = {"open": left_open, "reading": 1}
    store.other = False
    await bench.over()
    assert len(bench.made) == reads
    assert bench.ended == ["a"]


async def test_a_service_leaves_to_another_worker_what_that_one_reads() -> None:
    bench = Bench(None)
    bench.readings._store = Led()
    bench.readings.start("a")
    await bench.over()
    assert bench.made == []
