"""Rows of a database."""

from __future__ import annotations

import sqlite3
import sys
import tracemalloc
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from connector.errors import ConfigurationError
from connector.subscribers import Context, prototypes


@pytest.fixture
def database(tmp_path: Path) -> str:
    pytest.importorskip("sqlalchemy")
    with closing(sqlite3.connect(tmp_path / "db.sqlite")) as connection, connection:
        connection.execute("create table people (id integer primary key, name text, raw blob, height real)")
        rows = [(1, "Ann", b"\x01", 1.5), (2, "Bo", None, None), (3, "Cy", b"", 2.0)]
        connection.executemany("insert into people values (?, ?, ?, ?)", rows)
    connection.close()
    return f"sqlite:///{tmp_path / 'db.sqlite'}"


async def test_rows_become_documents(read: Any, database: str) -> None:
    documents, _ = await read(
        "sql", url=database, query="select * from people where id < :most order by id", parameters={"most": 3}, rows=1
    )
    assert documents == [
        {"id": 1, "name": "Ann", "raw": {"$content": "AQ=="}, "height": 1.5},
        {"id": 2, "name": "Bo", "raw": None, "height": None},
    ]


async def test_values_are_never_part_of_the_query(read: Any, database: str) -> None:
    hostile = "x'; drop table people; --"
    documents, _ = await read(
        "sql", url=database, query="select id from people where name = :name", parameters={"name": hostile}
    )
    assert documents == []
    assert len((await read("sql", url=database, query="select id from people"))[0]) == 3


@pytest.mark.parametrize(("parameters", "message"), [
    ({"query": "select * from nowhere"}, "the query failed: no such table: nowhere"),
    ({"url": "nonsense"}, "no database URL"),
    ({"url": "strange://x"}, "strange"),
])  # fmt: skip
async def test_what_is_wrong_is_said_without_the_password(
    read: Any, database: str, parameters: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        await read("sql", **{"url": database, "query": "select 1"} | parameters)


@pytest.mark.parametrize("query", ["", "?password=hidden-canary", "?sslmode=x&sslpassword=hidden-canary"])
async def test_explaining_hides_the_password(tmp_path: Path, query: str) -> None:
    pytest.importorskip("sqlalchemy")
    kind = prototypes().find("sql")
    reader = kind.build(
        kind.parameters.model_validate({"url": f"sqlite://me:hidden-canary@host/x{query}", "query": "select 1"})
    )
    shown = str(await reader.explain(Context(folder=tmp_path)))
    assert "hidden-canary" not in shown
    assert "select 1" in shown


async def test_what_is_missing_is_said(read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'openai-connector\[sql\]'"):
        await read("sql", url="sqlite://", query="select 1")


async def test_many_rows_pass_in_flat_memory(read: Any, database: str, tmp_path: Path) -> None:
    kind = prototypes().find("sql")
    numbers = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000) "
    query = numbers + "select i, hex(zeroblob(100)) as x from n"
    reader = kind.build(kind.parameters.model_validate({"url": database, "query": query}))
    count = 0
    documents = reader.documents(Context(folder=tmp_path))
    await anext(documents)
    tracemalloc.start()
    async for _ in documents:
        count += 1
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 19_999
    assert peak < 4 * 1024**2
