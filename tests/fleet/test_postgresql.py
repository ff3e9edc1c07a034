"""Shares in a database: between processes, after lost connections, and when it cannot be reached at all."""

from __future__ import annotations

import asyncpg
import pytest

from connector.fleet import Ask, Away, Sign
from connector.fleet.postgresql import PostgreSQLDivider
from connector.timing import Timing


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def run(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


async def test_two_processes_share_what_there_is(postgres) -> None:
    url = await postgres.url()
    one, other = PostgreSQLDivider(url), PostgreSQLDivider(url)
    await one.open()
    await other.open()
    try:
        await one.exchange("one", [Ask("shared", 100, 0, 0), Ask("alone", 5, 0, 0)], [])
        await run(url, "UPDATE openai_connector.limits SET remaining = 100 WHERE name = 'shared'")
        first = (await one.exchange("one", [Ask("shared", 100, 0, 60), Ask("alone", 5, 0, 1)], [])).grants
        second = (await other.exchange("other", [Ask("shared", 100, 0, 60)], [])).grants
        assert [grant.amount for grant in first] == [60, 1]
        assert 40 <= second[0].amount <= 60
        await one.exchange("one", [Ask("shared", 100, 10, 0)], [])
        third = (await other.exchange("other", [Ask("shared", 100, second[0].amount, 60)], [])).grants
        assert third[0].amount >= 50
    finally:
        await one.close()
        await other.close()


async def test_a_lost_connection_is_opened_again(postgres) -> None:
    clock = Clock()
    divider = PostgreSQLDivider(await postgres.url(), timing=Timing(clock=clock))
    await divider.open()
    assert await divider.exchange("one", [Ask("lost", 100, 0, 60)], [])
    await run(
        await postgres.url(),
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE pid <> pg_backend_pid() AND datname = current_database() AND query LIKE '%exchange_shares%'",
    )
    with pytest.raises(Away, match="which divides limits, is away"):
        await divider.exchange("one", [Ask("lost", 100, 0, 60)], [])
    clock.now += 1
    assert await divider.exchange("one", [Ask("lost", 100, 0, 60)], [])
    await divider.close()


async def test_a_database_that_is_not_there_is_named_without_its_password() -> None:
    divider = PostgreSQLDivider("postgresql://someone:secret@127.0.0.1:1/nowhere")
    with pytest.raises(Away, match=r"postgresql://someone@127\.0\.0\.1:1/nowhere cannot divide limits") as away:
        await divider.open()
    assert "secret" not in str(away.value)


async def test_signs_reach_the_others(postgres) -> None:
    url = await postgres.url()
    one, other = PostgreSQLDivider(url), PostgreSQLDivider(url)
    quiet = Sign("signs")
    assert (await other.exchange("other", [], [quiet])).signs == [quiet]
    await one.exchange("one", [], [Sign("signs", hold=300, pause="why")])
    heard = (await other.exchange("other", [], [Sign("signs", probe=True)])).signs[0]
    assert 200 < heard.hold <= 300
    assert (heard.pause, heard.probe) == ("why", False)
    await one.exchange("one", [], [Sign("signs", resumed=True)])
    heard = (await other.exchange("other", [], [Sign("signs", probe=True)])).signs[0]
    assert (heard.pause, heard.probe) == ("", True)
    await one.close()
    await other.close()
