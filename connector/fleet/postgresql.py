"""A divider in a PostgreSQL database: the division of `division.py` in one function, and one question for all limits.

Its tables are unlogged: after a crash of the database they are empty, and everything is divided anew.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from connector.engine.postgresql.connection import SCHEMA
from connector.fleet.divider import Answer, Ask, Grant, Sign
from connector.fleet.functions import INSTALL, MARK, MARKED, MARKS
from connector.fleet.link import Link
from connector.timing import SYSTEM, Timing

__all__ = ["EXCHANGED", "PostgreSQLDivider", "encode"]

LOCK = 0x6F70_666C_6565
EXCHANGED = f"SELECT {SCHEMA}.exchange_shares($1, $2::jsonb, $3::jsonb, $4)"


class PostgreSQLDivider:
    """A divider for all processes that reach one database, over a connection of its own.

    Args:
        url: where the database is; its password is in no message.
        timing: a clock.
    """

    def __init__(self, url: str, *, timing: Timing = SYSTEM) -> None:
        self._link = Link(url, _install, timing=timing)

    async def open(self) -> None:
        await self._link.open()

    async def exchange(self, process: str, asks: Sequence[Ask], signs: Sequence[Sign]) -> Answer:
        if not asks and not signs:
            return Answer([], [])

        async def ask(connection: Any) -> str:
            found: str = await connection.fetchval(EXCHANGED, process, *encode(asks, signs), None)
            return found

        grants, heard = json.loads(await self._link.run(ask))
        passed_on = ((sign.account, *heard[sign.account]) for sign in signs)
        return Answer(
            [Grant(*grants[ask.limit]) for ask in asks],
            [Sign(account, hold, pause, probe=probe) for account, hold, pause, probe in passed_on],
        )

    async def close(self) -> None:
        self._link.close()


def encode(asks: Sequence[Ask], signs: Sequence[Sign]) -> tuple[str, str]:
    """Return what the function in the database takes."""
    asked = [
        {"name": ask.limit, "flow": ask.per_second, "used": ask.used, "want": ask.want, "least": ask.least}
        for ask in asks
    ]
    told = [
        {"name": sign.account, "hold": sign.hold, "pause": sign.pause, "resumed": sign.resumed, "probe": sign.probe}
        for sign in signs
    ]
    return json.dumps(asked), json.dumps(told)


async def _install(connection: Any) -> None:
    """Make the tables and functions where they are not yet, one process at a time."""
    if await connection.fetchval(MARKED) == MARK:
        return
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
        await connection.execute(INSTALL)
        await connection.execute(MARKS)
