"""pgqueuer's jobs: added, taken, kept alive and ended in the transactions that they belong to."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cache, partial
from typing import Any

from connector.aio.tasks import cancel_all
from connector.engine.postgresql.connection import SCHEMA, Connection, ConnectionPool
from connector.extras import require_extra

__all__ = ["CHANNEL", "JobListener", "Jobs", "install"]

CHANNEL = "openai_connector_jobs"
SUCCESSFUL, FAILED = "successful", "failed"


@cache
def _query_builders() -> tuple[Any, ...]:
    """Return pgqueuer's query builders for our schema; its log is not promised, and so not written ahead."""
    require_extra("pgqueuer", "postgresql", "an engine on PostgreSQL")
    from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
    from pgqueuer.domain.settings import DBSettings, Durability
    from pgqueuer.domain.types import Channel

    settings = DBSettings(db_schema=SCHEMA, channel=Channel(CHANNEL), durability=Durability.balanced)
    return QueryBuilderEnvironment(settings), QueryQueueBuilder(settings), QuerySchedulerBuilder(settings)


def _make_queries(connection: Any) -> Any:
    from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
    from pgqueuer.adapters.persistence.queries import Queries

    return Queries(AsyncpgDriver(connection), *_query_builders())


async def install(connection: Connection) -> None:
    """Create or update pgqueuer's own tables."""
    queries = _make_queries(connection)
    if not await queries.schema_is_installed():
        await queries.install(create_schema=False)


class Jobs:
    """The jobs of one worker.

    Args:
        worker: the id under which this worker takes jobs.
        patience: seconds without a heartbeat after which another worker may take over.
    """

    def __init__(self, worker: str, patience: float) -> None:
        import uuid

        self._manager = uuid.uuid5(uuid.NAMESPACE_OID, worker)
        self._patience = timedelta(seconds=patience)
        self._table = _query_builders()[0].qualified.queue_table

    async def add(
        self, connection: Connection, routes: Sequence[str], tasks: Sequence[int], waits: Sequence[float]
    ) -> list[int]:
        """Add a job for each task, to be taken after a delay; return the jobs' ids."""
        if not tasks:
            return []
        found: list[int] = await _make_queries(connection).enqueue(
            list(routes),
            [str(task).encode() for task in tasks],
            [0] * len(tasks),
            [timedelta(seconds=max(wait, 0.0)) for wait in waits],
        )
        return found

    async def take(self, connection: Connection, route: str, most: int, limit: int) -> dict[int, int]:
        """Take jobs that are due, or whose worker is gone; return their ids by task."""
        from pgqueuer.ports.repository import EntrypointExecutionParameter

        jobs: Sequence[Any] = await _make_queries(connection).dequeue(
            most, {route: EntrypointExecutionParameter(concurrency_limit=limit)}, self._manager, None, self._patience
        )
        return {int(job.payload): job.id for job in jobs}

    async def take_one(self, connection: Connection, job: int) -> bool:
        """Take one job, if it is due or its worker is gone; return whether it is this worker's now."""
        rows = await connection.fetch(
            f"""UPDATE {self._table} SET status = 'picked', queue_manager_id = $2, updated = now(), heartbeat = now()
                WHERE id = $1 AND ((status = 'queued' AND execute_after <= now())
                                   OR (status = 'picked' AND heartbeat < now() - make_interval(secs => $3)))
                RETURNING id""",  # noqa: S608  the table's name is pgqueuer's
            job,
            self._manager,
            self._patience.total_seconds(),
        )
        return bool(rows)

    async def keep_alive(self, connection: Connection, jobs: Sequence[int]) -> None:
        await _make_queries(connection).update_heartbeat(list(jobs))

    async def end(self, connection: Connection, jobs: Mapping[int, bool]) -> None:
        """End jobs by whether they succeeded; failed ones are kept where pgqueuer's own tools show them."""
        if jobs:
            query = _query_builders()[1].build_log_job_query()
            states = [SUCCESSFUL if good else FAILED for good in jobs.values()]
            await connection.execute(query, list(jobs), states, [None] * len(jobs))

    async def give_back(self, connection: Connection, jobs: Sequence[int], waits: Sequence[float]) -> None:
        """Return jobs to the queue, each after a delay."""
        if jobs:
            await connection.execute(
                f"""UPDATE {self._table} AS job
                    SET status = 'queued', queue_manager_id = NULL, slot = NULL, updated = now(),
                        execute_after = now() + make_interval(secs => given.wait)
                    FROM unnest($1::bigint[], $2::double precision[]) AS given (id, wait)
                    WHERE job.id = given.id""",  # noqa: S608  the table's name is pgqueuer's
                list(jobs),
                [max(wait, 0.0) for wait in waits],
            )

    async def hurry(self, connection: Connection, jobs: Sequence[int]) -> None:
        """Let queued jobs be taken now, and tell all workers."""
        if jobs:
            await connection.execute(
                f"""UPDATE {self._table} SET execute_after = now(), updated = now()
                    WHERE id = ANY($1::bigint[]) AND status = 'queued'""",  # noqa: S608  the table's name is pgqueuer's
                list(jobs),
            )
            await connection.execute("SELECT pg_notify($1, '')", CHANNEL)

    def is_abandoned(self, job: str) -> str:
        """Return the SQL condition that the worker of the job in a column is gone."""
        seconds = self._patience.total_seconds()
        return (
            f"NOT EXISTS (SELECT FROM {self._table} AS held WHERE held.id = {job} "
            f"AND held.heartbeat > now() - make_interval(secs => {seconds}))"
        )

    async def delete(self, connection: Connection, jobs: Sequence[int]) -> None:
        """Delete jobs in any state."""
        if jobs:
            await connection.execute(f"DELETE FROM {self._table} WHERE id = ANY($1::bigint[])", list(jobs))  # noqa: S608

    async def clear_log(self, connection: Connection) -> None:
        """Empty pgqueuer's log, which nothing reads."""
        await _make_queries(connection).clear_queue_log()


class JobListener:
    """Listens for new jobs of any worker, over a connection that is reopened when it is lost."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool
        self._heard = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        await cancel_all(self._task)

    async def wait(self, seconds: float) -> None:
        """Wait until something changes, at most for some seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._heard.wait()
        self._heard.clear()

    async def _run(self) -> None:
        while True:
            await self._pool.retry(self._listen)

    async def _listen(self) -> None:
        connection = await self._pool.connect()
        lost = asyncio.Event()
        try:
            connection.add_termination_listener(partial(_set_event, lost))
            await connection.add_listener(CHANNEL, self._on_notification)
            self._heard.set()
            await lost.wait()
        finally:
            connection.terminate()

    def _on_notification(self, *_: Any) -> None:
        self._heard.set()


def _set_event(event: asyncio.Event, *_: Any) -> None:
    event.set()
