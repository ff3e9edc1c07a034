"""The store on SQLite: one file, one process that works on it, any number of admins beside it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import apsw

from connector.documents import dump
from connector.engine.change import CallEnd, Change, CommitResult, Expense, Settlement
from connector.engine.sqlite.admin import NOT_A_CARRIER, NOT_LEASED, SKIPPABLE, confirm, hurry, purge, retry, skip
from connector.engine.sqlite.backup import back_up
from connector.engine.sqlite.changes import apply_change, encode_change
from connector.engine.sqlite.connection import connect
from connector.engine.sqlite.driver import Connection
from connector.engine.sqlite.feed import SqliteFeed
from connector.engine.sqlite.journal import claim
from connector.engine.sqlite.lock import Lock
from connector.engine.sqlite.queue import lease, lease_task
from connector.engine.sqlite.reader import Reader
from connector.engine.sqlite.session import Session
from connector.engine.sqlite.writer import Writer
from connector.engine.store import Filter, PendingLines, StoreError
from connector.engine.tasks import ENDS, Task, TaskState
from connector.model import JSON

__all__ = ["SqliteStore"]

BATCH = 1000
"""Tasks that one transaction of an admin changes, so that commits do not wait for long."""


class SqliteStore:
    """The store in a SQLite file.

    Args:
        path: the file.
        worker: the name under which this process leases.
        session: the connection that changes it.
        reading: the connection that only reads it.
        lock: the lock on it, held by the one process that works on it.
        runs: whether this is that process; others look after it.
    """

    def __init__(
        self, path: Path, worker: str, session: Session, reading: Connection, lock: Lock, *, runs: bool
    ) -> None:
        self._path = path
        self._worker = worker
        self._lock = lock
        self._runs = runs
        self._session = session
        self._news = asyncio.Event()
        self._writer = Writer(session, path, self._news.set, lock)
        self._reader = Reader(reading, path)
        self.feed = SqliteFeed(self._reader, self._writer)

    @property
    def worker(self) -> str:
        return self._worker

    async def close(self) -> None:
        # Leased tasks are requeued when the file is opened next, as after a crash.
        await self._writer.close()
        await self._reader.close()
        await asyncio.to_thread(self._end)

    def _end(self) -> None:
        if self._runs and not self._writer.is_lost:
            with suppress(apsw.Error):  # the log is as safe as the database
                self._session.connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        self._session.connection.close()
        self._lock.close()

    async def commit(self, change: Change) -> CommitResult:
        work = encode_change(change)
        return await self._writer.submit(partial(apply_change, encoded=work), work.kinds)

    async def lease(self, route: str, most: int, *, limit: int = 0) -> Sequence[Task]:
        return await self._lease(partial(lease, route=route, most=most, limit=limit))

    async def lease_task(self, task: int) -> Task | None:
        return next(iter(await self._lease(partial(lease_task, task=task))), None)

    async def _lease(self, work: Callable[[Session], Sequence[Task]]) -> Sequence[Task]:
        if not self._runs:
            raise StoreError(f"{self._path}: opened to look after tasks, so none can be leased here")
        leased = self._writer.submit(work, ["lease"])
        try:
            return await asyncio.shield(leased)
        except asyncio.CancelledError:
            leased.add_done_callback(self._give_back)
            raise

    def _give_back(self, leased: asyncio.Future[Sequence[Task]]) -> None:
        """Give back tasks that were leased for a caller who was cancelled."""
        if leased.cancelled() or leased.exception() is not None:
            return
        back = [Settlement(task=task.id, state=TaskState.WAITING, uncounted=True) for task in leased.result()]
        work = encode_change(Change(settle=back))
        self._writer.submit(partial(apply_change, encoded=work), work.kinds).add_done_callback(_drop_error)

    async def renew_leases(self, ids: Sequence[int]) -> Sequence[int]:
        leases = self._session.leases
        return [task for task in ids if task not in leases or self._writer.is_lost]

    async def wait_for_change(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()
        self._news.clear()

    async def next_due(self, route: str) -> float | None:
        return await self._reader.run(self._reader.next_due, route)

    async def claim(self, name: str, tick: str) -> bool:
        return await self._writer.submit(partial(claim, name=name, tick=tick), ["claim"])

    async def lead(self, name: str, seconds: float) -> bool:
        del name, seconds  # the only worker leads; a fenced one gets an error
        return await self._writer.submit(_leads, []) and self._runs

    async def cursor(self, name: str) -> JSON:
        sql = "SELECT value FROM cursors WHERE name = ?"
        return await self._reader.run(self._reader.fetch_json, sql, (name,))

    async def cursors(self) -> Mapping[str, JSON]:
        return await self._reader.run(self._reader.fetch_json_by_name, "SELECT name, value FROM cursors ORDER BY name")

    async def record(self, space: str, key: str) -> JSON:
        sql = "SELECT value FROM records WHERE space = ? AND key = ?"
        return await self._reader.run(self._reader.fetch_json, sql, (space, key))

    async def records(self, space: str) -> Mapping[str, JSON]:
        sql = "SELECT key, value FROM records WHERE space = ? ORDER BY key"
        return await self._reader.run(self._reader.fetch_json_by_name, sql, (space,))

    async def spending(self, name: str, since: float) -> Expense:
        return await self._reader.run(self._reader.spending, name, since)

    async def reserved(self, name: str, since: float) -> Expense:
        return await self._reader.run(self._reader.reserved, name, since)

    async def pending_files(self) -> Sequence[str]:
        return await self._reader.run(self._reader.pending_files)

    async def pending_lines(self, name: str, most: int) -> PendingLines:
        return await self._reader.run(self._reader.pending_lines, name, most)

    async def counts(self, route: str = "") -> Mapping[str, Mapping[TaskState, int]]:
        return await self._reader.run(self._reader.counts, route)

    async def oldest(self, route: str) -> float | None:
        return await self._reader.run(self._reader.oldest, route)

    async def tasks(self, wanted: Filter, *, after: int = 0, limit: int = 100) -> Sequence[Task]:
        return await self._reader.run(self._reader.tasks, wanted, after, limit)

    async def task(self, task: int) -> Task | None:
        return await self._reader.run(self._reader.task, task)

    async def carried_tasks(self, carrier: int, *, after: int = 0, limit: int = 1000) -> Sequence[Task]:
        return await self._reader.run(self._reader.carried_tasks, carrier, after, limit)

    async def vanished_keys(self, route: str, reading: int) -> AsyncGenerator[str, None]:
        last = ""
        while keys := await self._reader.run(self._reader.vanished_keys, route, last, reading, BATCH):
            for key in keys:
                yield key
            last = keys[-1]

    async def retry(self, wanted: Filter, *, document: JSON = None) -> int:
        data = None if document is None else dump(document)
        states = [state for state in wanted.states or ENDS if state in ENDS]
        work = partial(retry, states=states, document=data)
        return await self._in_batches("retry", replace(wanted, states=states), work, NOT_A_CARRIER)

    async def hurry(self, wanted: Filter) -> int:
        waiting = replace(wanted, states=[TaskState.WAITING])
        return await self._in_batches("retry", waiting, hurry, NOT_LEASED)

    async def skip(self, wanted: Filter, reason: str) -> int:
        states = [state for state in wanted.states or SKIPPABLE if state in SKIPPABLE]
        work = partial(skip, states=states, reason=reason)
        return await self._in_batches("skip", replace(wanted, states=states), work, NOT_LEASED)

    async def confirm(self, end: CallEnd) -> bool:
        data = None if end.outcome is None else dump(end.outcome)
        return await self._writer.submit(partial(confirm, end=end, outcome=data), ["retry"])

    async def purge(self, wanted: Filter, *, most: int = 10_000) -> int:
        states = [state for state in wanted.states or ENDS if state in ENDS]
        return await self._in_batches("purge", replace(wanted, states=states), partial(purge, states=states), most=most)

    async def backup(self, to: Path) -> None:
        await asyncio.to_thread(self._back_up, to)

    def _back_up(self, to: Path) -> None:
        source = connect(self._path, reading=True)
        try:
            back_up(source, self._path, to)
        finally:
            source.close()

    async def _in_batches(
        self, kind: str, wanted: Filter, work: Callable[..., int], also: str = "", most: int | None = None
    ) -> int:
        """Apply a function to the selected tasks in batches; return the sum of its results."""
        done = after = 0
        while wanted.states and (most is None or done < most):
            limit = BATCH if most is None else min(BATCH, most - done)
            ids = await self._reader.run(self._reader.task_ids, wanted, after, limit, also)
            if not ids:
                break
            done += await self._writer.submit(partial(work, ids=ids), [kind])
            after = ids[-1]
        return done


def _leads(session: Session) -> bool:
    del session
    return True


def _drop_error(future: asyncio.Future[CommitResult]) -> None:
    """Drop an error that no caller waits for: the tasks stay leased until the process ends."""
    if not future.cancelled():
        future.exception()
