"""A route before a sandbox that bills as the API does, in time that both of them share."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import Any

from connector.delivery.context import DeliveryContext
from connector.money.ledger.bill import Bill, BillTerms, reconcile_bill
from connector.money.ledger.verdicts import Verdict
from connector.sandbox import Sandbox
from tests.delivery.conftest import Bench, opened
from tests.engine.postgres import Database, PostgreSQL

__all__ = ["DROPS", "World", "open_world"]

MORNING = datetime(2026, 11, 20, 8, 0, 7, tzinfo=UTC)
DROPS = [
    {"operation": "chat completions create", "when": "contains(payload.messages[0].content, 'dropped after')",
     "fault": "drop-after"},
    {"operation": "chat completions create", "when": "contains(payload.messages[0].content, 'dropped before')",
     "fault": "reset"},
]  # fmt: skip
"""Calls whose connection is lost: after their effect, and before it."""
ADMIN = {"admin_token": "sk-admin-0123456789abcdef"}


@dataclass
class World:
    """A sandbox, a route before it, and one clock."""

    box: Sandbox
    bench: Bench
    day: date
    chance: Random = field(default_factory=lambda: Random(5))

    async def say(self, *texts: str, apart: float = 90.0) -> None:
        """Send each text as a task of its own, some time apart."""
        for text in texts:
            await self.bench.accept({"text": text})
            await self.bench.work()
            self.bench.clock.now += self.chance.expovariate(1 / apart)

    async def reconcile(self, *, later: float = 30_000, **terms: Any) -> Bill:
        """Read the bill of the day, some time later."""
        self.bench.clock.now += later
        given: dict[str, Any] = {
            "first": self.day,
            "last": self.day,
            "now": self.bench.clock.now,
            "longest": 60.0,
            **terms,
        }
        return await reconcile_bill(self.bench.runtime, {"": self.bench.store}, BillTerms(**given))

    async def find_wrong(self, bill: Bill) -> Mapping[str, Verdict]:
        """Return the verdicts that the sandbox's own record contradicts, by the text that was sent."""
        acted: dict[str, bool] = {}
        for record in self.box.requests:
            if record["operation"] == "chat completions create" and record["fault"]:
                acted[record["payload"]["messages"][0]["content"]] = record["fault"] != "reset"
        wrong = dict[str, Verdict]()
        for doubt in bill.doubts:
            text = (await self.bench.task(doubt.call.task)).document["text"]
            right = Verdict.BILLED if acted[text] else Verdict.NOT_BILLED
            if doubt.decision.verdict not in (right, Verdict.CANNOT_TELL):
                wrong[text] = doubt.decision.verdict
        return wrong


@asynccontextmanager
async def open_world(
    folder: Path,
    *,
    morning: datetime = MORNING,
    billing: Sequence[str] = ("fresh", "late:3600", "random:600"),
    database: Database | None = None,
    project: str = "",
) -> AsyncGenerator[World]:
    """Open a world; on PostgreSQL where a database is given."""
    at_work: list[Bench] = []
    async with AsyncExitStack() as stack:
        box = Sandbox(
            clock=lambda: at_work[0].clock.now if at_work else morning.timestamp(),
            billing=billing,
            script={"faults": DROPS},
        )
        await stack.enter_async_context(box)
        bench = await stack.enter_async_context(
            opened(folder, base=box.url, account={**ADMIN, **({"project": project} if project else {})})
        )
        bench.clock.now = morning.timestamp()
        at_work.append(bench)
        if database is not None:
            await _move(bench, database, stack)
        yield World(box, bench, morning.date())


async def _move(bench: Bench, database: Database, stack: AsyncExitStack) -> None:
    """Let a bench work on PostgreSQL."""
    engine = PostgreSQL(await database.url())
    stack.push_async_callback(engine.close)
    engine.clock = bench.clock  # type: ignore[assignment]  # both are seconds since 1970 that a test moves
    await bench.store.close()
    bench.store = await engine.open("runner")
    bench.shared = DeliveryContext(bench.runtime, bench.store, timing=bench.shared.timing, wall=bench.clock)
