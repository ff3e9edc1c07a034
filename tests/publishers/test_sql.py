"""Rows that are inserted, or updated where they are there."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    pytest.importorskip("sqlalchemy")
    with closing(sqlite3.connect(tmp_path / "db.sqlite")) as connection:
        connection.execute("create table people (id integer primary key, name text not null, tags text, born date)")
        connection.commit()
        yield connection


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'db.sqlite'}"


def rows(database: sqlite3.Connection) -> list[Any]:
    return database.execute("select * from people order by id").fetchall()


async def test_rows_are_inserted(write: Any, database: sqlite3.Connection, url: str) -> None:
    document = {"id": 1, "name": "Ann", "tags": ["a"], "born": "2001-02-03"}
    outcomes = await write("sql", [document], url=url, table="people")
    assert outcomes[0].ok
    assert rows(database) == [(1, "Ann", '["a"]', "2001-02-03")]


async def test_a_row_that_is_refused_does_not_take_the_others_with_it(
    publisher: Any, context: Any, database: sqlite3.Connection, url: str
) -> None:
    writes = publisher("sql", url=url, table="people", row={"id": "&{n}", "name": "?{name}"})
    documents = [{"n": number, "name": None if number == 5 else f"p{number}"} for number in range(10)]
    outcomes = await asyncio.gather(*(writes.publish(document, context) for document in documents))
    await writes.finish()
    assert [outcome.ok for outcome in outcomes] == [number != 5 for number in range(10)]
    assert "NOT NULL" in outcomes[5].reason
    assert "p4" not in outcomes[5].reason
    assert len(rows(database)) == 9


async def test_upsert(write: Any, database: sqlite3.Connection, url: str) -> None:
    await write("sql", [{"id": 1, "name": "Ann", "tags": "kept"}], url=url, table="people", mode="upsert")
    outcomes = await write(
        "sql",
        [{"id": 1, "name": "Bo"}, {"id": 2, "name": "Cy"}, {"name": "no key"}],
        url=url,
        table="people",
        mode="upsert",
    )
    assert [outcome.ok for outcome in outcomes] == [True, True, False]
    assert "no id, which upsert needs" in outcomes[2].reason
    assert rows(database) == [(1, "Bo", "kept", None), (2, "Cy", None, None)]


async def test_upsert_where_the_dialect_has_no_word_for_it(
    write: Any, database: sqlite3.Connection, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connector.publishers.sql_table.Table._insert", lambda self: self._table.insert())
    await write(
        "sql",
        [{"id": 1, "name": "Ann"}, {"id": 1, "name": "Bo"}, {"id": 2, "name": "Cy"}],
        url=url,
        table="people",
        mode="upsert",
    )
    assert [row[:2] for row in rows(database)] == [(1, "Bo"), (2, "Cy")]


@pytest.mark.parametrize(("document", "message"), [
    ({"id": 1, "nam": "x"}, "did you mean 'name'"),
    ("text", "a row is an object"),
    ({}, "a row is an object"),
])  # fmt: skip
async def test_what_is_no_row_is_refused(
    write: Any, database: sqlite3.Connection, url: str, document: Any, message: str
) -> None:
    [outcome] = await write("sql", [document], url=url, table="people")
    assert not outcome.ok
    assert message in outcome.reason
    assert rows(database) == []


async def test_a_table_that_is_not_there(write: Any, database: sqlite3.Connection, url: str) -> None:
    [outcome] = await write("sql", [{"id": 1}], url=url, table="nowhere")
    assert "no table 'nowhere'" in outcome.reason


async def test_many_documents_at_a_time_share_transactions(
    publisher: Any, context: Any, database: sqlite3.Connection, url: str
) -> None:
    writes = publisher("sql", url=url, table="people")
    await writes.publish({"id": 0, "name": "first"}, context)
    commits: list[int] = []
    real = writes._table._commit
    writes._table._commit = lambda batch: (commits.append(len(batch)), real(batch))[1]
    outcomes = await asyncio.gather(*(writes.publish({"id": n, "name": "x"}, context) for n in range(1, 501)))
    await writes.finish()
    assert all(outcome.ok for outcome in outcomes)
    assert len(rows(database)) == 501
    assert sum(commits) == 500
    assert len(commits) < 50


POISON: list[Any] = [
    2**63, -(2**63) - 1, 2**64, "\ud800", "a\0b\ud801", [2**70], {"deep": 2**70},
]  # fmt: skip


@pytest.mark.parametrize("value", POISON)
@pytest.mark.parametrize("mode", ["insert", "upsert"])
async def test_a_value_that_no_driver_can_send_fails_alone(
    publisher: Any, context: Any, database: sqlite3.Connection, url: str, value: Any, mode: str
) -> None:
    writes = publisher("sql", url=url, table="people", mode=mode)
    documents = [{"id": number, "name": f"p{number}", "tags": value if number == 2 else "t"} for number in range(5)]
    outcomes = await asyncio.gather(*(writes.publish(document, context) for document in documents))
    await writes.finish()
    assert [outcome.state.value for outcome in outcomes] == ["done", "done", "refused", "done", "done"]
    assert outcomes[2].reason
    assert [row[0] for row in rows(database)] == [0, 1, 3, 4]


async def test_a_table_that_is_dropped_meanwhile_blocks_and_refuses_no_row(
    publisher: Any, context: Any, database: sqlite3.Connection, url: str
) -> None:
    writes = publisher("sql", url=url, table="people")
    assert (await writes.publish({"id": 1, "name": "Ann"}, context)).ok
    database.execute("drop table people")
    database.commit()
    outcome = await writes.publish({"id": 2, "name": "Bo"}, context)
    assert (outcome.state.value, outcome.action) == ("not_sent", "blocked")
    database.execute("create table people (id integer primary key, name text, tags text, born date)")
    database.commit()
    assert (await writes.publish({"id": 2, "name": "Bo"}, context)).ok
    await writes.finish()


async def test_a_database_that_cannot_be_written_to_blocks(
    publisher: Any, context: Any, database: sqlite3.Connection, url: str
) -> None:
    writes = publisher("sql", url=f"{url.replace('sqlite:///', 'sqlite:///file:')}?mode=ro&uri=true", table="people")
    outcome = await writes.publish({"id": 2, "name": "Bo"}, context)
    assert (outcome.state.value, outcome.action) == ("not_sent", "blocked")
    assert "readonly" in outcome.reason
    await writes.finish()


@pytest.mark.parametrize(("said", "whose"), [
    ('database "x" does not exist', "blocked"),
    ("connection refused", "away"),
    ("database is locked", "away"),
    ('password authentication failed for user "x"', "blocked"),
    ('null value in column "x" violates not-null constraint', "row"),
])  # fmt: skip
def test_whose_fault_an_error_is(said: str, whose: str) -> None:
    from connector.sql import classify_error

    assert classify_error(sqlite3.OperationalError(said)) == whose
