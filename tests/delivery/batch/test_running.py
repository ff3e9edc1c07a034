"""A whole run whose requests go through the Batch API, in time that runs two hundred times as fast."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

from connector.config import parse
from connector.engine import open_store
from connector.pipeline import Runtime, kinds
from connector.runtime.plan import Plan
from connector.runtime.runner import Runner
from connector.sandbox import Sandbox
from connector.timing import Timing
from tests.delivery.batch.conftest import CATALOGUE, configured

FASTER = 200.0


async def test_a_run_that_ends_waits_for_its_batches(tmp_path: Path) -> None:
    began = time.monotonic()

    def clock() -> float:
        return 1_800_000_000.0 + (time.monotonic() - began) * FASTER

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds / FASTER)

    texts = [f"text {number}" for number in range(20)]
    (tmp_path / "in.jsonl").write_text("".join(f"{json.dumps({'text': text})}\n" for text in texts))
    timing = Timing(clock=clock, sleep=sleep, chance=lambda: 0.0)
    async with Sandbox(catalogue=CATALOGUE, clock=clock) as sandbox:
        configuration = parse(configured(sandbox.url, {}), folder=tmp_path, environ={}, kinds=kinds())
        async with Runtime(configuration, lambda _: {"timing": timing}) as runtime:
            store = await open_store(f"sqlite:///{tmp_path / 'tasks.db'}", clock=clock)
            try:
                plan = Plan.of(configuration, ())
                async with asyncio.timeout(30):
                    end = await Runner(runtime, store, plan, once=True, timing=timing, wall=clock).run()
            finally:
                await store.close()
        [batch] = sandbox.backend.objects.all("batches")
    assert end.ended == {"r": {"finished": 20}, "r:batch": {"finished": 1}}
    assert end.left == {}
    assert sorted(map(json.loads, (tmp_path / "out.jsonl").read_text().splitlines())) == sorted(texts)
    assert batch["request_counts"] == {"total": 20, "completed": 20, "failed": 0}
