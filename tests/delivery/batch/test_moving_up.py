"""Batches that would be too late: cancelled, their answers taken, the rest asked for by single calls; paid for once."""

from __future__ import annotations

import random
import re
from collections import Counter
from typing import Any

import pytest

from connector.delivery.batch.lines import is_batch_line
from connector.engine import Filter, failpoints
from connector.model import State
from tests.delivery.batch.conftest import Crash

NEEDED, SLOW = 2_400.0, 1_000.0
TEXTS = ["one", "two", "three", "four"]
POINTS = (
    "batch.cancel.before", "batch.cancel.asked", "batch.asked", "batch.results.read", "batch.results.chunk",
    "batch.results.before", "batch.results.committed", "batch.parts.taken", "batch.tidied", "test.picked",
    "delivery.doubts.resolved", "delivery.intent.before", "delivery.intent.committed",
)  # fmt: skip
"""Where no answer of a single call has been seen that is not on disk."""
ROUTE = {"within": "40m", "spare": "1m"}


def set_pace(at: Any, seconds: float) -> None:
    at.sandbox.backend.options = at.sandbox.backend.options.__class__(pace=seconds)


class Life:
    """A life in which a batch is slow until it is cancelled, with crashes at some of the places that it comes to."""

    def __init__(self, at: Any, monkeypatch: pytest.MonkeyPatch, crashes: list[tuple[str, int]] | None = None) -> None:
        self.at = at
        self.crashes = set(crashes or ())
        self.seen: Counter[str] = Counter()
        set_pace(at, SLOW)
        at.gather = self.gather
        monkeypatch.setattr(failpoints, "reach", self.reach)

    def reach(self, name: str) -> None:
        if name == "batch.cancel.before":
            set_pace(self.at, 120.0)
        self.seen[name] += 1
        if (name, self.seen[name]) in self.crashes:
            raise Crash(name)

    async def gather(self, *, rest: bool = True) -> Any:
        at, tasks = self.at, list(await self.at.store.lease("r", 1000))
        single = await at.delivery("r").pick_single(tasks)
        self.reach("test.picked")
        for task in single:
            await at.store.commit(await at.delivery("r").attempt(task))
        await at.store.commit(await at.delivery("r").carry([task for task in tasks if task not in single]))
        if rest:
            await at.store.commit(await at.delivery("r").carry_rest())
        return tasks


async def single_calls(at: Any, tasks: list[int]) -> list[int]:
    """The tasks whose single calls are done, once for each of those calls."""
    return [
        number
        for number in tasks
        for call in (await at.task(number)).calls
        if call.state == State.DONE and not is_batch_line(call)
    ]


def paid(at: Any) -> float:
    """Requests that the API has charged."""
    return sum(entry.units["requests"] for entry in at.sandbox.backend.ledger.entries(0, 4_000_000_000))


async def check(at: Any, tasks: list[int], began: float) -> None:
    assert await at.states() == {"finished": 4}
    assert sorted(at.written()) == sorted(TEXTS)
    batched, single = at.ran(), await single_calls(at, tasks)
    assert batched
    assert single
    assert sorted([*batched, *single]) == tasks
    assert paid(at) == 4
    assert [one["status"] for one in at.things("batches")] == ["cancelled"]
    assert all([(await at.task(task)).updated <= began + NEEDED for task in tasks])


async def test_what_a_batch_has_answered_is_taken_and_the_rest_moves_up(bench, monkeypatch) -> None:
    at = await bench(route=ROUTE)
    life, began = Life(at, monkeypatch), at.clock.now
    tasks = await at.accept(*TEXTS)
    await at.live()
    await check(at, tasks, began)
    assert life.seen["batch.cancel.asked"] == 1
    metrics = at.shared.observer.metrics
    assert metrics.moved_up.values[("r",)] == 1
    assert metrics.transports.values["r", "batch"] == 4
    [single, *_] = await single_calls(at, tasks)
    when = r"moved up at 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC: \d+ min before its answer is needed"
    assert re.match(
        when + r" its batch was not sure to be in time; standard: 95 % take ", (await at.task(single)).reason
    )
    lines = [call for call in (await at.task(single)).calls if is_batch_line(call)]
    assert re.search(rf"the batch was cancelled; {when}", lines[0].outcome["reason"])
    assert metrics.in_time.values[("r",)] == 4
    assert not metrics.late.values


@pytest.mark.parametrize("name", POINTS)
async def test_killed_while_it_moves_up(bench, monkeypatch, name: str) -> None:
    at = await bench(route=ROUTE)
    began = at.clock.now
    # The first two calls upload and create the batch; the next ones cancel it and tidy up.
    times = (3, 4) if name.startswith("delivery.intent") else (1, 2)
    life = Life(at, monkeypatch, [(name, time) for time in times])
    tasks = await at.accept(*TEXTS)
    await at.live()
    await check(at, tasks, began)
    assert life.seen[name] >= times[0]


@pytest.mark.parametrize("seed", range(6))
async def test_killed_again_and_again_while_it_moves_up(bench, monkeypatch, seed: int) -> None:
    at = await bench(route=ROUTE)
    chance, began = random.Random(seed), at.clock.now
    Life(at, monkeypatch, [(name, chance.randint(3, 4)) for name in chance.sample(POINTS, 7)])
    tasks = await at.accept(*TEXTS)
    await at.live()
    await check(at, tasks, began)


async def test_a_cancellation_that_is_not_settled_is_waited_for(bench, monkeypatch) -> None:
    """Never paid twice: what may still be answered is not asked for again, though it comes late."""
    at = await bench(route=ROUTE)
    life = Life(at, monkeypatch)
    monkeypatch.setattr(life, "reach", lambda name: life.seen.update([name]))  # the pace stays slow
    monkeypatch.setattr(failpoints, "reach", life.reach)
    began, tasks = at.clock.now, await at.accept(*TEXTS)
    await at.live()
    assert await at.states() == {"finished": 4}
    assert paid(at) == 4
    single = await single_calls(at, tasks)
    assert single
    assert all([(await at.task(task)).updated > began + NEEDED for task in single])
    assert at.shared.observer.metrics.late.values[("r",)] == 4


async def test_what_no_batch_would_answer_in_time_goes_at_once(bench, monkeypatch) -> None:
    at = await bench(route={"within": "10m", "spare": "1h"})
    Life(at, monkeypatch)
    tasks = await at.accept(*TEXTS)
    await at.live()
    assert await at.states() == {"finished": 4}
    assert at.things("batches") == []
    assert sorted(await single_calls(at, tasks)) == tasks


async def test_what_was_learned_is_in_the_store(bench, monkeypatch) -> None:
    """Another process, which has the store alone, knows how long batches took and were cancelled for."""
    at = await bench(route=ROUTE)
    Life(at, monkeypatch)
    await at.accept(*TEXTS)
    await at.live()
    await at.crash()
    delivery = at.delivery("r")
    await delivery.pick_single([])
    assert delivery._plan is not None
    known, fresh = delivery._plan._batch, type(delivery._plan)(at.shared, delivery._spec, "/chat/completions")._batch
    assert known.settles is not None
    assert fresh.settles is not None
    assert known.takes.share_within(1_000.0) < fresh.takes.share_within(1_000.0)
    assert known.settles.share_within(150.0) > fresh.settles.share_within(150.0)
    assert len(await at.store.tasks(Filter(route="r:batch"))) == 1
