"""What a task costs, and how much memory a run takes, with so many tasks in the file already.

python -m bench.durable.growth FOLDER fill FROM TO               takes tasks to their end until there are so many
python -m bench.durable.growth FOLDER run BASE TASKS IN_FLIGHT   its result is a line of JSON
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from pathlib import Path

from bench.durable.ours import declared, write_lines
from bench.durable.worker import Watch
from bench.exchange import payload
from connector.cli.garbage import infrequent_collection
from connector.config import parse
from connector.engine import CallEnd, CallRecord, Change, NewTask, Settlement, Store, Task, TaskState, open_store
from connector.intake.cursor import reset_cursor
from connector.pipeline import Runtime, kinds
from connector.runtime.plan import Plan
from connector.runtime.runner import Runner

GROUP = 1000


async def _run(folder: Path, base: str, tasks: int, in_flight: int) -> Watch:
    write_lines(folder / "in.jsonl", tasks)
    configuration = parse(declared(base, _url(folder), in_flight), folder=folder, environ={}, kinds=kinds())
    store = await open_store(configuration.engine_url)
    watch = Watch()
    try:
        # A document is new to a route that was reset.
        await store.commit(await reset_cursor(store, "bench"))
        async with Runtime(configuration) as runtime:
            with infrequent_collection(), watch.running():
                await Runner(runtime, store, Plan.of(configuration, ()), once=True).run()
    finally:
        await store.close()
    return watch


async def _filled(folder: Path, done: int, stored: int) -> None:
    """A thousand in a commit."""
    store = await open_store(_url(folder))
    try:
        for first in range(done, stored, GROUP):
            await _fill(store, first, min(GROUP, stored - first))
    finally:
        await store.close()


async def _fill(store: Store, first: int, number: int) -> None:
    new = [
        NewTask(route="bench", document={"payload": payload(one)}, key=f"stored-{one}", version="1")
        for one in range(first, first + number)
    ]
    await store.commit(Change(accept=new))
    leased = await store.lease("bench", number)
    await store.commit(
        Change(
            intend=[_call(task) for task in leased],
            end=[
                CallEnd(task=task.id, attempt=task.attempts, number=0, ended=1.0, state="done", outcome={"status": 200})
                for task in leased
            ],
            settle=[Settlement(task=task.id, state=TaskState.FINISHED) for task in leased],
        )
    )


def _call(task: Task) -> CallRecord:
    return CallRecord(
        task=task.id,
        attempt=task.attempts,
        number=0,
        fingerprint=f"{task.id:032x}",
        target="api",
        operation="chat completions create",
        effect="opaque",
        request=task.document,
        started=1.0,
    )


def _url(folder: Path) -> str:
    return f"sqlite:///{folder / 'tasks.db'}"


def main() -> None:
    folder, what, *given = sys.argv[1:]
    if what == "fill":
        asyncio.run(_filled(Path(folder), *map(int, given)))
        return
    base, tasks, in_flight = given
    watch = asyncio.run(_run(Path(folder), base, int(tasks), int(in_flight)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"cpu": watch.cpu / int(tasks), "peak": peak}))


if __name__ == "__main__":
    main()
