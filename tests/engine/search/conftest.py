"""A store of each engine with tasks of every kind, and an index beside it that keeps no time."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import pytest

from connector.engine import Change, Filter, NewTask, Settlement, Store, Task, TaskState
from connector.engine.search import Patience, TaskSearch
from tests.engine.contract.conftest import engine as engine  # noqa: PLC0414  the fixture
from tests.engine.engines import Engine
from tests.engine.search.kit import ENDLESS

STATES = (TaskState.FINISHED, TaskState.FAILED, TaskState.UNKNOWN, TaskState.SKIPPED, TaskState.WAITING)
REASONS = ("", "no luck", "refused: Bad model", 'a 100 % "quoted" reason', "ünknown")


@pytest.fixture
async def store(engine: Engine) -> Store:
    """Tasks of three routes in every state, with equal and different values in every column."""
    store, chance = await engine.open("first"), random.Random(3)
    for _ in range(6):
        engine.clock.now += chance.choice((0.0, 1.5, 60.0))
        new = [
            NewTask(
                route=chance.choice(("a", "b", "ß route")),
                key=chance.choice(("", "k1", "K1", "k\\2", "é")),
                unique="no",
                document={
                    "n": chance.choice((1, 2, 2.5, -3, None, True)),
                    "tags": [chance.choice(("Pro", "free")), {"a.b": chance.choice(("x", "5", 5))}],
                    "text": chance.choice(('Laptop "broken"', "über 9000\n", "aé", "plain words only")),
                },
            )
            for _ in range(15)
        ]
        await store.commit(Change(accept=new))
        for route in ("a", "b", "ß route"):
            leased = await store.lease(route, chance.randrange(4))
            engine.clock.now += chance.choice((0.0, 2.0))
            ends = [_settle(task.id, chance, engine.clock.now) for task in leased[:-1]]
            await store.commit(Change(settle=ends))
    return store


def _settle(task: int, chance: random.Random, now: float) -> Settlement:
    state = chance.choice(STATES)
    due = now + chance.choice((0, 600, 9000)) if state is TaskState.WAITING else 0.0
    return Settlement(task=task, state=state, reason=chance.choice(REASONS), due=due)


@pytest.fixture
async def tasks(store: Store) -> Sequence[Task]:
    """All of them, as the store itself lists them."""
    return await store.tasks(Filter(), limit=1000)


@pytest.fixture
async def search(store: Store, tmp_path: Path) -> AsyncGenerator[TaskSearch]:
    """An index that is brought up to date when a test says so, and takes as long as it needs."""
    opened = TaskSearch(store, tmp_path / "tasks.search", patience=ENDLESS)
    await opened.follower.settle()
    yield opened
    await opened.close()


@pytest.fixture
async def hasty(store: Store, tmp_path: Path) -> AsyncGenerator[TaskSearch]:
    """An index whose every answer is late."""
    opened = TaskSearch(store, tmp_path / "hasty.search", patience=Patience(0.0, 0.0, 0.0, 0.0))
    await opened.follower.settle()
    yield opened
    await opened.close()
