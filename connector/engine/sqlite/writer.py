"""The writer thread: commit all waiting works in one transaction, deliver their results, and checkpoint the log."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

import apsw

from connector.engine import failpoints
from connector.engine.sqlite.changes import KINDS as CHANGES
from connector.engine.sqlite.driver import DISK, Connection, translate_error
from connector.engine.sqlite.lock import Lock
from connector.engine.sqlite.session import Session
from connector.engine.store import Fenced, StoreBroken, StoreError

__all__ = ["KINDS", "Work", "Writer"]

Result = TypeVar("Result")
MOST = 512
"""Works in one transaction."""
POLL = 0.25
"""Seconds between two checks for changes by other processes."""
CHECKPOINT_PAGES = 4000
"""Pages in the log (16 MB) that start a checkpoint."""
RETRY_PAGES = 1000
"""Pages by which the log must grow before another try, when a reader keeps it from being reset."""
KINDS = (*CHANGES, "lease", "claim", "retry", "skip", "purge", "watch")
"""The kinds of work, as in the names of failpoints: `sqlite.KIND.before`, `.written`, `.committed`."""


@dataclass(slots=True, eq=False)
class Work(Generic[Result]):
    """A function to run in a transaction, and the future of its result."""

    do: Callable[[Session], Result]
    kinds: Sequence[str]
    future: asyncio.Future[Result]


WorkResult = tuple[Work[Any], Any]
"""A work with its result or its own error."""


class _WorkFailed(Exception):
    """A work whose error spoilt the shared transaction."""

    def __init__(self, work: Work[Any], error: Exception) -> None:
        self.work = work
        self.error = error


class Writer:
    """Runs works from the event loop in a thread of its own.

    Args:
        notify: called in the event loop when there may be something new to lease.
        lock: the lock on the file, which also knows whether the file is still in place.
    """

    def __init__(self, session: Session, path: Path, notify: Callable[[], None], lock: Lock) -> None:
        self.session = session
        self._lock = lock
        self._signs_at = 0.0
        self._path = path
        self._notify = notify
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[Work[Any] | None] = SimpleQueue()
        self._ended: StoreError | None = None
        self._lost: StoreError | None = None
        self._checkpoints = Checkpointer(session.connection)
        self._seen = session.connection.pragma("data_version")
        self._thread = threading.Thread(target=self._run, name="sqlite", daemon=True)
        self._thread.start()

    @property
    def is_lost(self) -> bool:
        """Return whether the file must not be touched any more."""
        return self._lost is not None

    def submit(self, do: Callable[[Session], Result], kinds: Sequence[str]) -> asyncio.Future[Result]:
        """Queue a work; return the future of its result, set once it is on disk."""
        future: asyncio.Future[Result] = self._loop.create_future()
        if self._ended is None:
            self._queue.put(Work(do, kinds, future))
        else:
            future.set_exception(_copy_error(self._ended))
        return future

    async def close(self) -> None:
        """Commit what is waiting, and end the thread."""
        self._ended = self._ended or StoreBroken(f"{self._path}: closed")
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        ending = False
        while not ending:
            works: list[Work[Any]] = []
            with suppress(Empty):
                while len(works) < MOST and not ending:
                    work = self._queue.get(block=not works, timeout=POLL)
                    if work is None:
                        ending = True
                    else:
                        works.append(work)
            self._run_batch(works)
            self._signs_at = 0.0 if ending else self._signs_at
            self._maintain()

    def _run_batch(self, works: list[Work[Any]]) -> None:
        """Commit works and deliver their results; a work that fails by itself does not fail the others."""
        results: list[WorkResult] = []
        if self._lost is not None:
            self._deliver_soon([(work, _copy_error(self._lost)) for work in works])
            return
        while works:
            try:
                results += self._commit(works)
                break
            except _WorkFailed as failed:
                works.remove(failed.work)
                results.append((failed.work, failed.error))
            except Exception as error:  # noqa: BLE001  callers get every error
                failure = self._end_on(error)
                results += [(work, _copy_error(failure)) for work in works]
                break
        if results:
            self._deliver_soon(results)

    def _commit(self, works: Sequence[Work[Any]]) -> list[WorkResult]:
        """Commit works in one transaction; return their results. When this fails, nothing was done."""
        kinds = {kind for work in works for kind in work.kinds}
        names = [kind for kind in KINDS if kind in kinds]
        _reach_all(names, "before")
        session = self.session
        self._check_location()
        try:
            session.begin()
            results = [(work, self._run_work(work)) for work in works]
            session.flush()
            _reach_all(names, "written")
            session.commit()
        except BaseException:
            session.roll_back()
            raise
        _reach_all(names, "committed")
        return results

    def _run_work(self, work: Work[Any]) -> Any:
        """Return a work's result, or the error of one that has written nothing."""
        before = self.session.rows_written
        try:
            return work.do(self.session)
        except DISK:
            raise
        except Exception as error:
            own = error if isinstance(error, StoreError) else translate_error(error, self._path)
            if self.session.rows_written == before:
                return own
            raise _WorkFailed(work, own) from error

    def _end_on(self, error: Exception) -> StoreError:
        """Return the error that waiting callers get; some errors end the writer."""
        failure = error if isinstance(error, StoreError) else translate_error(error, self._path)
        if isinstance(failure, (StoreBroken, Fenced)):
            self._lost = self._ended = failure
        return failure

    def _maintain(self) -> None:
        """Checkpoint the log, and look for changes by other processes."""
        if self._lost is not None:
            return
        try:
            self._check_location()
            self._sign()
            self._checkpoints.run_if_due()
            seen = self.session.connection.pragma("data_version")
            if seen != self._seen:
                self._seen = seen
                self.session.check_epoch()
                self._call_in_loop(self._notify)
        except (apsw.Error, StoreError) as error:
            self._end_on(error)
            if self._lost is not None:
                self._call_in_loop(self._notify)  # waiting callers get the error with their next call

    def _check_location(self) -> None:
        """Raise StoreBroken when a commit would go to a file that was moved or removed."""
        file = self._lock.database
        try:
            found = os.stat(file.path)  # noqa: PTH116  it is asked before every commit
            is_in_place = file.inode in (None, (found.st_dev, found.st_ino))
        except OSError:
            is_in_place = file.inode is None
        if not is_in_place:
            raise StoreBroken(
                f"{self._path}: the file was moved, removed or replaced while it was worked on; nothing more is done. "
                "Put it back with its log, and start again"
            )

    def _sign(self) -> None:
        """Write the progress into the lock file, now and then."""
        now = time.monotonic()
        if self.session.epoch and now >= self._signs_at:
            self._signs_at = now + POLL
            self._lock.sign(replace(self._lock.identity, task=self.session.last_task))

    def _deliver_soon(self, results: list[WorkResult]) -> None:
        news = self.session.has_news
        self._call_in_loop(lambda: self._deliver(results, news=news))

    def _deliver(self, results: list[WorkResult], *, news: bool) -> None:
        """Set the results, in the event loop."""
        for work, result in results:
            if work.future.done():
                continue
            if isinstance(result, StoreError):
                work.future.set_exception(result)
            else:
                work.future.set_result(result)
        if news:
            self._notify()

    def _call_in_loop(self, what: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop is closed, and with it every caller
            self._loop.call_soon_threadsafe(what)


def _copy_error(error: StoreError) -> StoreError:
    """Copy an error for another caller, so that no traceback grows with another's."""
    return type(error)(str(error))


def _reach_all(kinds: Sequence[str], where: str) -> None:
    for kind in kinds:
        failpoints.reach(f"sqlite.{kind}.{where}")


class Checkpointer:
    """Checkpoints the log once it has grown; called by the writer, between transactions."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._pages = 0
        self._next = CHECKPOINT_PAGES
        connection.set_wal_hook(self._on_commit)

    def run_if_due(self) -> None:
        """Start a checkpoint when the log is long enough; after a failure, when it has grown further."""
        if self._pages < self._next:
            return
        self._next = self._pages + RETRY_PAGES
        failpoints.reach("sqlite.checkpoint.before")
        self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        failpoints.reach("sqlite.checkpoint.after")

    def _on_commit(self, connection: Connection, name: str, pages: int) -> int:
        """Note the length of the log after a commit; a shorter one was reset."""
        del connection, name
        if pages < self._pages:
            self._next = CHECKPOINT_PAGES
        self._pages = pages
        return apsw.SQLITE_OK
