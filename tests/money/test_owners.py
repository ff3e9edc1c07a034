"""Every cent with its owner: routes, a batch, background responses and the tokens of a gateway, to the last digit."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from connector.catalogue import Catalogue
from connector.engine import open_store
from connector.gateway import GatewayServer
from connector.gateway.factory import Clocks
from connector.money.ledger.bill import Bill, BillTerms, reconcile_bill
from connector.money.ledger.verdicts import Verdict
from connector.pipeline import Runtime, load_configuration
from connector.runtime.plan import Plan
from connector.runtime.runner import Runner
from connector.sandbox import Sandbox
from tests.delivery.conftest import Clock
from tests.money.billed import DROPS
from tests.runtime.test_bill import (
    CHATS,
    IMAGES,
    LOADS,
    NOON,
    OFTEN,
    RESPONSES,
    SPOKEN,
    TOKEN,
    VECTORS,
    stream,
    write_configuration,
)

DAY = datetime.fromtimestamp(NOON, UTC).date()
HEADERS = {"authorization": f"Bearer {TOKEN}"}


class Place(NamedTuple):
    """A sandbox, a configuration of all loads before it, and the clock of both."""

    box: Sandbox
    runtime: Runtime
    clock: Callable[[], float]

    async def run(self) -> None:
        """Run all routes to their end."""
        store = await open_store(self.runtime.configuration.engine_url, clock=self.clock)
        try:
            plan = Plan.of(self.runtime.configuration)
            await Runner(self.runtime, store, plan, once=True, timing=OFTEN, wall=self.clock).run()
        finally:
            await store.close()

    async def reconcile(self, **terms: Any) -> Bill:
        store = await open_store(self.runtime.configuration.engine_url, clock=self.clock, role="admin")
        try:
            given: dict[str, Any] = {"first": DAY, "last": DAY + timedelta(days=7), "now": NOON + 9 * 86_400, **terms}
            return await reconcile_bill(self.runtime, {"": store}, BillTerms(**given), client="openai")
        finally:
            await store.close()

    def serve(self) -> GatewayServer:
        clocks = Clocks(clock=self.clock, now=self.clock)
        return GatewayServer(self.runtime, port=0, catalogue=Catalogue.open(None), clocks=clocks)


@asynccontextmanager
async def open_place(folder: Path, clock: Callable[[], float]) -> AsyncGenerator[Place]:
    async with Sandbox(pace=0.02, clock=clock, billing=["fresh"], script={"faults": DROPS}) as box:
        path = write_configuration(folder, box.url)
        written = json.loads(path.read_text(encoding="utf-8"))
        written["clients"]["openai"]["parameters"]["admin_token"] = "sk-admin-0123456789"
        path.write_text(json.dumps(written), encoding="utf-8")
        async with Runtime(load_configuration(path, {})) as runtime:
            yield Place(box, runtime, clock)


async def test_routes_a_batch_and_a_gateway_own_every_cent(tmp_path: Path) -> None:
    began = time.monotonic()

    def hurry() -> float:
        """Two hundred seconds pass in one."""
        return NOON + 200 * (time.monotonic() - began)

    async with (
        open_place(tmp_path, hurry) as place,
        place.serve() as served,
        httpx.AsyncClient(base_url=f"{served.url}/gate/v1", headers=HEADERS, timeout=60) as caller,
    ):
        await place.run()
        for path, payloads in (("/chat/completions", CHATS), ("/responses", RESPONSES), ("/embeddings", VECTORS),
                               ("/images/generations", IMAGES), ("/audio/speech", SPOKEN)):  # fmt: skip
            for payload in payloads:
                (await caller.post(path, json=payload)).raise_for_status()
        await stream(caller, "/responses", {**RESPONSES[2], "stream": True})
        counted = sum(found.cost for *_, found in served.gateway.counters.rows())
        await served.gateway.usage_log.close()
        bill = await place.reconcile()
        owners = {(owner.kind, owner.name): owner for owner in bill.shares.owners}
        assert owners.keys() == {("token", "caller"), *(("route", name) for name in LOADS)}
        assert {owner.name: owner.calls for owner in bill.shares.owners if owner.kind == "route"} == {
            name: len(payloads) for name, (_, payloads) in LOADS.items()
        }
        assert owners["token", "caller"].amount == pytest.approx(counted, abs=1e-9)
        assert sum(owner.amount for owner in owners.values()) == pytest.approx(bill.shares.charged, abs=1e-9)
        assert (bill.shares.foreign, bill.shares.elsewhere) == (0, 0)
        assert bill.shares.difference == pytest.approx(0, abs=1e-9)
        assert bill.doubts == []


async def test_calls_of_a_gateway_without_an_end_have_a_verdict_too(tmp_path: Path) -> None:
    clock = Clock(NOON)
    async with open_place(tmp_path, clock) as place:
        async with (
            place.serve() as served,
            httpx.AsyncClient(base_url=f"{served.url}/gate/v1", headers=HEADERS, timeout=60) as caller,
        ):
            for text in ("dropped after", "good", "dropped before"):
                asked = {"model": "gpt-6-luna", "messages": [{"role": "user", "content": text}]}
                status = (await caller.post("/chat/completions", json=asked)).status_code
                assert status == (200 if text == "good" else 502)
                clock.now += 200
        bill = await place.reconcile(alone=True, longest=30.0)
        assert [(doubt.call.token, doubt.decision.verdict) for doubt in bill.doubts] == [
            ("caller", Verdict.BILLED), ("caller", Verdict.NOT_BILLED),
        ]  # fmt: skip
        (owner,) = bill.shares.owners
        assert (owner.kind, owner.name, owner.calls, owner.doubtful) == ("token", "caller", 2, 1)
        assert owner.amount == pytest.approx(bill.shares.charged, abs=1e-9)
        assert bill.as_document()["unknown"][0]["token"] == "caller"
