"""A process killed anywhere on a batch's way: nothing is paid twice, nothing is lost."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from connector.engine import failpoints
from tests.delivery.batch.conftest import Crash

POINTS = (
    "delivery.intent.before", "delivery.intent.committed", "delivery.outcome.seen", "batch.lines.written",
    "batch.uploaded", "batch.created", "batch.asked", "batch.results.read", "batch.results.chunk",
    "batch.results.before", "batch.results.committed", "batch.tidied", "delivery.lines.before",
    "delivery.lines.written", "test.gathered", "test.carried",
)  # fmt: skip
TEXTS = ["one", "two", "three"]


class Crashes:
    """Ends the process at some of the places that it comes to."""

    def __init__(self, at: list[tuple[str, int]]) -> None:
        self.at = set(at)
        self.seen: Counter[str] = Counter()

    def __call__(self, name: str) -> None:
        self.seen[name] += 1
        if (name, self.seen[name]) in self.at:
            raise Crash(name)


async def lived(at: Any, crashes: Crashes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole life with these crashes, and what must be true after it."""
    monkeypatch.setattr(failpoints, "reach", crashes)
    gather = at.gather

    async def gathered(*, rest: bool = True) -> Any:
        tasks = await gather(rest=False)
        crashes("test.gathered")
        await at.store.commit(await at.delivery("r").carry_rest())
        crashes("test.carried")
        return tasks

    at.gather = gathered
    tasks = await at.accept(*TEXTS)
    await at.live()
    assert await at.states() == {"finished": 3}
    assert at.ran() == tasks
    assert sorted(at.written()) == sorted(TEXTS)
    assert [one["status"] for one in at.things("batches")] == ["completed"]
    assert [file["purpose"] for file in at.things("files")] == ["batch_output"]


@pytest.mark.parametrize("name", POINTS)
async def test_killed_at_each_place(bench, monkeypatch, name: str) -> None:
    at = await bench()
    await lived(at, crashes := Crashes([(name, 1)]), monkeypatch)
    assert crashes.seen[name] >= 1


@pytest.mark.parametrize("seed", range(5))
async def test_killed_again_and_again(bench, monkeypatch, seed: int) -> None:
    at = await bench()
    chance = random.Random(seed)
    await lived(at, Crashes([(name, chance.randint(1, 3)) for name in chance.sample(POINTS, 6)]), monkeypatch)
