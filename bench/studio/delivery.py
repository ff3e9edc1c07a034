"""A run of so many tasks in a store that holds many; its result is a line of JSON.

python -m bench.studio.delivery URL BASE TASKS IN_FLIGHT
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path

from bench.durable.ours import declared, write_lines
from bench.durable.worker import Watch
from connector.cli.garbage import infrequent_collection
from connector.config import parse
from connector.engine import open_store
from connector.intake.cursor import reset_cursor
from connector.pipeline import Runtime, kinds
from connector.runtime.plan import Plan
from connector.runtime.runner import Runner

WARM = 200


async def deliver(url: str, base: str, tasks: int, in_flight: int) -> dict[str, float]:
    """Deliver a few tasks to warm up, then the others, and measure these."""
    with tempfile.TemporaryDirectory() as name:
        folder, watch = Path(name), Watch()
        configuration = parse(declared(base, url, in_flight), folder=folder, environ={}, kinds=kinds())
        store = await open_store(url)
        fleet, plan = not url.startswith("sqlite:"), Plan.of(configuration, ())
        try:
            for number in (WARM, tasks):
                write_lines(folder / "in.jsonl", number)
                await store.commit(await reset_cursor(store, "bench"))
                async with Runtime(configuration) as runtime:
                    runner = Runner(runtime, store, plan, once=True, fleet=fleet)
                    with infrequent_collection(), watch.running():
                        await runner.run()
        finally:
            await store.close()
    return {"rate": tasks / watch.seconds, "cpu": watch.cpu / tasks}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(deliver(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))))
