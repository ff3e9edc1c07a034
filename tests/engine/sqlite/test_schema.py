"""Files that earlier versions wrote are brought up to this one, with everything that is in them."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from connector.engine import Filter, StoreError, TaskState
from connector.engine.sqlite import schema
from tests.engine.engines import Sqlite
from tests.engine.kit import accept, new

FIXTURES = Path(__file__).parent / "versions"


def tables(path: Path) -> set[tuple[str, ...]]:
    opened = apsw.Connection(str(path))
    try:
        names = [name for (name,) in opened.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        columns = {(name, *column[1:4]) for name in names for column in opened.execute(f"PRAGMA table_info({name})")}
        return columns | set(opened.execute("SELECT type, name FROM sqlite_schema"))
    finally:
        opened.close()


def test_there_is_a_file_of_every_earlier_version() -> None:
    assert sorted(path.name for path in FIXTURES.glob("*.sql")) == [f"v{n}.sql" for n in range(1, schema.VERSION)]


@pytest.mark.parametrize("version", range(1, schema.VERSION))
async def test_an_earlier_version_is_brought_up(engine: Sqlite, version: int, tmp_path: Path) -> None:
    earlier = apsw.Connection(str(engine.path))
    earlier.execute((FIXTURES / f"v{version}.sql").read_text())
    earlier.close()
    store = await engine.open()
    [finished, failed, cut_off] = await store.tasks(Filter(route="tickets"))
    assert (finished.state, failed.state, cut_off.state) == (TaskState.FINISHED, TaskState.FAILED, TaskState.WAITING)
    assert (finished.document, finished.key, finished.retried) == ({"id": 1, "text": "süß"}, "1", 0)
    assert [task.id for task in await store.tasks(Filter(key="2"))] == [failed.id]
    kept = await store.task(finished.id)
    assert kept is not None
    assert [(call.operation, call.outcome) for call in kept.calls] == [("chat completions.create", {"status": 200})]
    [leased] = await store.lease("tickets", 9)
    assert (leased.id, leased.attempts, [call.open for call in leased.calls]) == (cut_off.id, 2, [True])
    assert await store.cursor("tickets") == {"after": 3}
    assert await store.record("storage", "a") == [1, 2]
    assert await accept(store, new(route="tickets", key="1", version="x")) == [0]
    assert await store.retry(Filter(ids=[failed.id])) == 1
    await store.close()
    fresh = Sqlite(tmp_path / "..")
    fresh.path = tmp_path / "fresh.db"
    fresh.url = f"sqlite:///{fresh.path}"
    await (await fresh.open()).close()
    assert tables(engine.path) == tables(fresh.path)


async def test_a_crash_while_it_is_brought_up_leaves_the_earlier_version(
    engine: Sqlite, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = apsw.Connection(str(engine.path))
    earlier.execute((FIXTURES / "v1.sql").read_text())
    earlier.close()
    before = tables(engine.path)

    def crash(name: str) -> None:
        if name == "sqlite.migrate.written":
            raise StoreError("the process is gone")

    with monkeypatch.context() as patch:
        patch.setattr("connector.engine.failpoints.reach", crash)
        with pytest.raises(StoreError, match="gone"):
            await engine.open()
    assert tables(engine.path) == before
    assert len(await (await engine.open()).tasks(Filter(route="tickets"))) == 3
