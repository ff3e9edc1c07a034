"""The one thread that writes: it takes all changes that are waiting into one transaction, and tells all at once."""

from __future__ import annotations

import asyncio
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
from connector.engine.sqlite.connection import Checkpoints
from connector.engine.sqlite.driver import DISK, meaning
from connector.engine.sqlite.lock import Lock
from connector.engine.sqlite.session import Session
from connector.engine.store import Fenced, StoreBroken, StoreError

__all__ = ["KINDS", "Work", "Writer"]

Result = TypeVar("Result")
MOST = 512
"""Changes in one transaction."""
LOOK = 0.25
"""Seconds between two looks at whether another process has changed something."""
KINDS = (*CHANGES, "lease", "claim", "retry", "skip", "purge")
"""What happens in a transaction, as the names of points have it: `sqlite.KIND.before`, `.written`, `.committed`."""


@dataclass(slots=True, eq=False)
class Work(Generic[Result]):
    """Something to be done in a transaction, and who waits for it."""

    do: Callable[[Session], Result]
    kinds: Sequence[str]
    future: asyncio.Future[Result]


Given = tuple[Work[Any], Any]
"""A work with its result, or with the error that it alone has."""


class _Wrong(Exception):
    """A work that spoilt the transaction which it shared."""

    def __init__(self, work: Work[Any], error: Exception) -> None:
        self.work = work
        self.error = error


class Writer:
    """Takes works from the event loop and does them in a thread of its own.

    Args:
        news: called in the event loop when there may be something new to lease.
        lock: holds the file, and tells whether it is still where it was.
    """

    def __init__(self, session: Session, path: Path, news: Callable[[], None], lock: Lock) -> None:
        self.session = session
        self._lock = lock
        self._signs_at = 0.0
        self._path = path
        self._news = news
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[Work[Any] | None] = SimpleQueue()
        self._ended: StoreError | None = None
        self._lost: StoreError | None = None
        self._checkpoints = Checkpoints(session.connection)
        self._seen = session.connection.pragma("data_version")
        self._thread = threading.Thread(target=self._run, name="sqlite", daemon=True)
        self._thread.start()

    @property
    def lost(self) -> bool:
        """Whether the file must not be touched any more."""
        return self._lost is not None

    def put(self, do: Callable[[Session], Result], kinds: Sequence[str]) -> asyncio.Future[Result]:
        """What the work gives, once it is on the disk."""
        future: asyncio.Future[Result] = self._loop.create_future()
        if self._ended is None:
            self._queue.put(Work(do, kinds, future))
        else:
            future.set_exception(_again(self._ended))
        return future

    async def close(self) -> None:
        """Does what is waiting, and ends."""
        self._ended = self._ended or StoreBroken(f"{self._path}: closed")
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        ending = False
        while not ending:
            works: list[Work[Any]] = []
            with suppress(Empty):
                while len(works) < MOST and not ending:
                    work = self._queue.get(block=not works, timeout=LOOK)
                    if work is None:
                        ending = True
                    else:
                        works.append(work)
            self._do(works)
            self._signs_at = 0.0 if ending else self._signs_at
            self._look_after()

    def _do(self, works: list[Work[Any]]) -> None:
        """Does these works, and tells those who wait; without the works that are wrong by themselves."""
        given: list[Given] = []
        if self._lost is not None:
            self._tell([(work, _again(self._lost)) for work in works])
            return
        while works:
            try:
                given += self._committed(works)
                break
            except _Wrong as wrong:
                works.remove(wrong.work)
                given.append((wrong.work, wrong.error))
            except Exception as error:  # noqa: BLE001  whatever it is, those who wait are told
                failure = self._failure(error)
                given += [(work, _again(failure)) for work in works]
                break
        if given:
            self._tell(given)

    def _committed(self, works: Sequence[Work[Any]]) -> list[Given]:
        """What the works gave, once all are on the disk; when this fails, nothing was done."""
        kinds = {kind for work in works for kind in work.kinds}
        names = [kind for kind in KINDS if kind in kinds]
        _reach(names, "before")
        session = self.session
        self._check_place()
        try:
            session.begin()
            given = [(work, self._done(work)) for work in works]
            session.finish()
            _reach(names, "written")
            session.commit()
        except BaseException:
            session.undo()
            raise
        _reach(names, "committed")
        return given

    def _done(self, work: Work[Any]) -> Any:
        """What a work gives; the error of one that has written nothing is its own."""
        before = self.session.written
        try:
            return work.do(self.session)
        except DISK:
            raise
        except Exception as error:
            own = error if isinstance(error, StoreError) else meaning(error, self._path)
            if self.session.written == before:
                return own
            raise _Wrong(work, own) from error

    def _failure(self, error: Exception) -> StoreError:
        """What those who wait are told; after some failures nothing else will be told any more."""
        failure = error if isinstance(error, StoreError) else meaning(error, self._path)
        if isinstance(failure, (StoreBroken, Fenced)):
            self._lost = self._ended = failure
        return failure

    def _look_after(self) -> None:
        """Keeps the file in shape, and sees what other processes did to it."""
        if self._lost is not None:
            return
        try:
            self._check_place()
            self._sign()
            self._checkpoints.keep_up()
            seen = self.session.connection.pragma("data_version")
            if seen != self._seen:
                self._seen = seen
                self.session.check()
                self._call(self._news)
        except (apsw.Error, StoreError) as error:
            self._failure(error)
            if self._lost is not None:
                self._call(self._news)  # who waits for news hears of it with the next question

    def _check_place(self) -> None:
        """StoreBroken when what is committed would go where nobody finds it."""
        if not self._lock.database.in_place:
            raise StoreBroken(
                f"{self._path}: the file was moved, removed or replaced while it was worked on; nothing more is done. "
                "Put it back with its log, and start again"
            )

    def _sign(self) -> None:
        """Write down beside the file how far it is, now and then."""
        now = time.monotonic()
        if self.session.epoch and now >= self._signs_at:
            self._signs_at = now + LOOK
            self._lock.sign(replace(self._lock.identity, task=self.session.last_task))

    def _tell(self, given: list[Given]) -> None:
        news = self.session.news
        self._call(lambda: self._told(given, news=news))

    def _told(self, given: list[Given], *, news: bool) -> None:
        """In the event loop: those who wait have what they waited for."""
        for work, result in given:
            if work.future.done():
                continue
            if isinstance(result, StoreError):
                work.future.set_exception(result)
            else:
                work.future.set_result(result)
        if news:
            self._news()

    def _call(self, what: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(what)


def _again(error: StoreError) -> StoreError:
    """The same error for somebody else, so that nobody's traceback grows with another's."""
    return type(error)(str(error))


def _reach(kinds: Sequence[str], where: str) -> None:
    for kind in kinds:
        failpoints.reach(f"sqlite.{kind}.{where}")
