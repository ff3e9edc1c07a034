"""Workflows on a real Temporal server whose activity worker is killed, and the server too; the record says the rest."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Sequence
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

from temporalio.client import WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.worker import Worker

from connector.aio.tasks import cancel_all
from tests.crash.cluster import Cluster
from tests.crash.hosts import HOST_POINTS, Asked, Begin, Client
from tests.crash.running import Run
from tests.crash.table import Row
from tests.hosts.temporal.rig import Server
from tests.hosts.temporal.workflows import Ask

__all__ = ["QUEUE", "TEMPORAL_SCENARIOS", "Workflows", "play", "play_temporal"]

QUEUE = "killed"
TEMPORAL_SCENARIOS = {
    "temporal activities": "points",
    "temporal activities, killed at random": "random",
    "temporal activities, the server killed too": "server",
    "temporal activities over PostgreSQL": "postgresql",
}
"""What is done to the worker."""
POSTGRESQL_POINTS = (
    "postgresql.commit.before", "postgresql.commit.after", *(one for one in HOST_POINTS if "sqlite" not in one),
)  # fmt: skip
LATEST = 20.0
"""Seconds after which a point that was not come to is missed."""


class Workflows(Client):
    """Workflows of one activity each, and a worker of ours that is started anew when it is gone."""

    def __init__(
        self, folder: Path, warm: Begin, server: Server, *, seed: int, mutants: tuple[str, ...], engine: str
    ) -> None:
        super().__init__(folder, warm, seed=seed, faults=0.1, is_keyed=True, mutants=mutants)
        self.server, self._engine = server, engine
        path = folder / "connector.yaml"
        document = json.loads(path.read_text())
        del document["mcp"]
        document["temporal"] = {"address": server.address, "task_queue": QUEUE, "engine": engine}
        path.write_text(json.dumps(document))
        self._handles: list[tuple[Asked, WorkflowHandle[Any, Any]]] = []

    async def begin(self, client: Any) -> None:
        """Three more workflows, one of each connection."""
        known = len(self.asked)
        self.ask(1)
        for asked in self.asked[known:]:
            how = {
                "activity": f"publish {asked.tool}",
                "arguments": [{"doc": asked.doc}],
                "heartbeat": 1,
                "attempts": 0,
            }
            handle = await client.start_workflow(
                Ask.run, how, id=f"{asked.doc}-{uuid4()}", task_queue=QUEUE, execution_timeout=timedelta(minutes=10)
            )
            self._handles.append((asked, handle))

    def work(self, point: str = "", nth: int = 1) -> Run:
        """A worker, which is killed at a point."""
        return self._begin(["worker", "temporal", "-f", "connector.yaml"], point, nth, engine=self._engine)

    async def end(self, run: Run, point: str, after: float, *, kills_server: bool) -> None:
        """Waits until a worker is killed, at its point or after some seconds."""
        ended = asyncio.create_task(asyncio.to_thread(run.wait))
        if after:
            await asyncio.sleep(after)
            if kills_server:
                await asyncio.to_thread(self.server.kill)
                self.server.start()
            else:
                run.send(signal.SIGKILL)
        told = asyncio.create_task(self._hear_all())
        await asyncio.wait((ended, told), timeout=LATEST, return_when=asyncio.FIRST_COMPLETED)
        await cancel_all(told)
        is_killed = ended.done()
        self.missed += [point] if point and not is_killed else []
        run.send(signal.SIGKILL)
        code = await ended
        self.kills += is_killed or kills_server
        if is_killed and code != -signal.SIGKILL:
            raise AssertionError(f"{point}: the worker ended by itself with {code}\n{run.said[-3000:]}")

    async def finish(self) -> None:
        """A worker that nobody kills, until every workflow has ended."""
        run = self.work()
        ended = asyncio.create_task(asyncio.to_thread(run.wait))
        try:
            async with asyncio.timeout(80):
                await self._hear_all()
        finally:
            run.send(signal.SIGTERM)
            code = await ended
        if code not in (0, -signal.SIGTERM):
            raise AssertionError(f"the last worker ended with {code}\n{run.said[-3000:]}")

    def _open(self) -> Sequence[tuple[Asked, WorkflowHandle[Any, Any]]]:
        return [(asked, handle) for asked, handle in self._handles if not asked.told]

    async def _hear_all(self) -> None:
        await asyncio.gather(*(self._hear(asked, handle) for asked, handle in self._open()))

    async def _hear(self, asked: Asked, handle: WorkflowHandle[Any, Any]) -> None:
        """Notes what a workflow was told, in the form in which calls of other hosts are judged."""
        try:
            value = await handle.result()
        except WorkflowFailureError as error:
            why = error.cause.cause if isinstance(error.cause, ActivityError) else error.cause
            if not isinstance(why, ApplicationError) or not why.non_retryable:
                raise AssertionError(f"{asked.doc}: its workflow failed for another reason: {why!r}") from error
            details = why.details[0] if why.details else {}
            asked.told.append({"isError": True, "structuredContent": details, "content": [{"text": why.message}]})
        else:
            asked.told.append({"isError": False, "structuredContent": value})


async def play(own: Workflows, way: str, times: int) -> None:
    chance = Random(len(way))
    points = POSTGRESQL_POINTS if way == "postgresql" else HOST_POINTS if times else HOST_POINTS[2::9]
    if way in ("points", "postgresql"):
        rounds = [(point, nth, 0.0) for nth in range(1, max(times, 1) + 1) for point in points]
    else:
        rounds = [("", 1, chance.uniform(0.2, 1.6)) for _ in range((3, 12, 30)[min(times, 2)])]
    client = await own.server.connect()
    async with Worker(client, task_queue=QUEUE, workflows=[Ask]):
        for number, (point, nth, after) in enumerate(rounds):
            await own.begin(client)
            run = await asyncio.to_thread(own.work, point, nth)
            await own.end(run, point, after, kills_server=way == "server" and number % 2 == 0)
        await own.finish()


def play_temporal(
    name: str,
    folder: Path,
    warm: Begin,
    *,
    times: int = 1,
    seed: int = 1,
    mutants: tuple[str, ...] = (),
    server: Server | None = None,
) -> Row:
    """What came of a scenario; 0 times is its shortest form.

    Args:
        server: one that is there already, in place of one of its own.
    """
    way, engine = TEMPORAL_SCENARIOS[name], "sqlite:///calls.db"
    with ExitStack() as ends:
        if server is None:
            place = folder.with_name(f"{folder.name}-server")
            place.mkdir(parents=True)
            server = Server(place)
            ends.callback(server.kill)
        if way == "postgresql":
            engine = ends.enter_context(closing(Cluster())).url
        own = ends.enter_context(closing(Workflows(folder, warm, server, seed=seed, mutants=mutants, engine=engine)))
        asyncio.run(play(own, way, times))
        return own.row(name)
