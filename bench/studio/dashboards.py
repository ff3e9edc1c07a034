"""So many dashboards over a store, each of which asks for a page and counts once a second, until its input ends.

python -m bench.studio.dashboards URL INDEX NUMBER    prints a line once the index is there, and one at its end
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

from connector.engine import TaskState, open_store
from connector.engine.search import Order, PageQuery, TaskFilter, TaskSearch

FILTERS = (
    TaskFilter(),
    TaskFilter(states=[TaskState.FAILED]),
    TaskFilter(routes=["bench"]),
    TaskFilter(reason="refused"),
    TaskFilter(routes=["bench"], states=[TaskState.FINISHED]),
)
PAUSE = 1.0


async def look(search: TaskSearch, number: int, waits: list[float]) -> None:
    """Ask again and again, as a page does that is told once a second that something changed."""
    await asyncio.sleep(PAUSE * number / 10)
    wanted = FILTERS[number % len(FILTERS)]
    while True:
        began = time.perf_counter()
        page = await search.page(PageQuery(filter=wanted, order=Order("updated", descending=True)))
        waits.append(time.perf_counter() - began)
        await search.counts(wanted)
        await search.page(PageQuery(filter=wanted, order=Order("key"), limit=len(page.rows) or 1))
        await asyncio.sleep(PAUSE)


async def main(url: str, index: Path, number: int) -> None:
    store = await open_store(url, role="admin")
    search, waits = TaskSearch(store, index), list[float]()
    await search.follower.settle()
    search.start()
    print("ready", flush=True)
    used = time.process_time()
    looking = [asyncio.create_task(look(search, each, waits)) for each in range(number)]
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    for task in looking:
        task.cancel()
    print(json.dumps({"pages": len(waits), "worst": max(waits, default=0.0), "cpu": time.process_time() - used}))
    await search.close()
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
