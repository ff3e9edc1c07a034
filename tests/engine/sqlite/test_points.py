"""The process is killed at a named place: what was told is there, and what was not begun is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connector.engine import Carrier, Change, Expense, Filter, Line, Settlement, Store, TaskState, open_store
from connector.engine.sqlite import writer
from tests.engine.engines import Sqlite
from tests.engine.kit import accept, call, end, lease_one, new

FILES = ("tasks.db", "tasks.db-wal")


class Killed:
    """The files as a process that was killed at a place leaves them, for every place that is reached."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told = 0
        self.found: list[tuple[str, int, dict[str, bytes]]] = []

    def __call__(self, name: str) -> None:
        files = {file: (self.folder / file).read_bytes() for file in FILES if (self.folder / file).exists()}
        self.found.append((name, self.told, files))


@pytest.fixture
def killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Killed:
    recorder = Killed(tmp_path)
    monkeypatch.setattr("connector.engine.failpoints.reach", recorder)
    monkeypatch.setattr(writer, "CHECKPOINT_PAGES", 30)
    return recorder


def step(number: int, **more: Any) -> Change:
    return Change(cursors={"step": number}, **more)


async def work(store: Store, engine: Sqlite, tell: Callable[[], None]) -> None:
    """A life of tasks through every kind of change; each commit moves the cursor by one."""
    changes = [
        lambda: step(1, accept=[new({"n": n}, key=str(n), order="o" if n % 2 else "") for n in range(6)]),
        lambda: step(2, intend=[call(leased[0])]),
        lambda: step(3, end=[end(leased[0])], settle=[Settlement(task=leased[0], state=TaskState.FINISHED)]),
        lambda: step(4, carry=[Carrier(carrier=new(route="batch"), members=leased[1:3])]),
        lambda: step(5, lines=[Line(place="out", data=b"1")], spent=[Expense(name="b", at=0.0, tokens=1)]),
        lambda: step(6, written={"out": (1, 1)}, records={("a", "b"): 1}),
        lambda: step(7, settle=[Settlement(task=leased[3], state=TaskState.FAILED, reason="no")]),
    ]
    leased: list[int] = []
    await store.feed.watch("somebody", 60)
    for change in changes:
        await store.commit(change())
        tell()
        leased += [task.id for task in await store.lease("route", 9)]
    await store.claim("tick", "1")
    await store.retry(Filter(states=[TaskState.FAILED]))
    await store.skip(Filter(route="route", states=[TaskState.NEW]), "")
    await store.purge(Filter(states=[TaskState.SKIPPED]))
    for number in range(8, 40):
        await store.commit(step(number, accept=[new({"text": "x" * 3000})]))
        tell()


def test_every_place_has_its_name() -> None:
    assert len(writer.KINDS) * 3 >= 30


async def test_a_kill_at_any_place_loses_nothing_that_was_told(engine: Sqlite, killed: Killed, tmp_path: Path) -> None:
    store = await engine.open()

    def tell() -> None:
        killed.told += 1

    await work(store, engine, tell)
    await store.close()
    expected = {f"sqlite.{kind}.{where}" for kind in writer.KINDS for where in ("before", "written", "committed")}
    others = {"sqlite.checkpoint.before", "sqlite.checkpoint.after", "sqlite.migrate.written"}
    others |= {f"sqlite.replay.{where}" for where in ("before", "written", "committed")}
    reached = {name for name, _, _ in killed.found}
    assert reached == expected | others
    found, killed.found = killed.found, []
    firsts = {name: at for at, (name, _, _) in reversed(list(enumerate(found)))}
    lasts = {name: at for at, (name, _, _) in enumerate(found)}
    folder = tmp_path / "found"
    folder.mkdir()
    for name, told, files in [found[at] for at in sorted({*firsts.values(), *lasts.values()})]:
        for file in FILES:
            (folder / file).unlink(missing_ok=True)
            if file in files:
                (folder / file).write_bytes(files[file])
        for file in ("tasks.db-shm", "tasks.db.lock"):
            (folder / file).unlink(missing_ok=True)
        again = await open_store(f"sqlite:///{folder / 'tasks.db'}", clock=engine.clock)
        try:
            step_found = await again.cursor("step") or 0
            assert told <= step_found <= told + 1, name
            assert name != "sqlite.cursors.committed" or step_found == told + 1, "told only after it was there"
            assert name not in ("sqlite.cursors.before", "sqlite.cursors.written") or step_found == told
            counted = (await again.counts()).values()
            assert sum(sum(states.values()) for states in counted) == len(await again.tasks(Filter(), limit=1000)), name
        finally:
            await again.close()


async def test_what_was_leased_at_the_kill_is_leased_again(engine: Sqlite, killed: Killed) -> None:
    store = await engine.open()
    await accept(store, new({"a": 1}))
    task = await lease_one(store)
    await store.commit(Change(intend=[call(task.id)]))
    name, _, files = killed.found[-1]
    assert name == "sqlite.intend.committed"
    await store.close()
    for file, data in files.items():
        (engine.path.parent / file).write_bytes(data)
    again = await lease_one(await engine.open())
    assert (again.document, again.attempts, [one.open for one in again.calls]) == ({"a": 1}, 2, [True])
