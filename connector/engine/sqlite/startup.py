"""Open a file as a store: lock it, check it, migrate it, and recover what a crash cut off."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random

import apsw

from connector.engine import failpoints
from connector.engine.sqlite.connection import check_integrity, connect
from connector.engine.sqlite.database_file import check_location, create_private, open_error
from connector.engine.sqlite.driver import Connection, Row, translate_error
from connector.engine.sqlite.feed import drop_stale_feed
from connector.engine.sqlite.identity import Identity, check_exists, check_log, check_same, identify
from connector.engine.sqlite.lock import Lock
from connector.engine.sqlite.queue import update_turns
from connector.engine.sqlite.rows import DUE, HELD, LEASED, READY, call_id_range
from connector.engine.sqlite.schema import VERSION, check_version, migrate
from connector.engine.sqlite.session import Session
from connector.engine.sqlite.store import SqliteStore
from connector.engine.store import StoreError
from connector.engine.tasks import TaskState

__all__ = ["open_sqlite", "requeue_leased", "restore_waits"]


async def open_sqlite(
    path: Path, *, worker: str, clock: Callable[[], float], runs: bool, new: bool = False
) -> SqliteStore:
    """Open a file as a store.

    Args:
        path: the file; it is made when it is not there.
        worker: the name under which this process leases.
        clock: seconds since 1970.
        runs: whether this process works on the tasks, as only one can; or looks after them while another may work.
        new: whether a database that is gone, or an older copy than the last run worked on, is taken all the same.
    """
    path = await asyncio.to_thread(path.resolve)  # its log and its lock are beside the file, not beside a link to it
    lock = Lock(path)
    try:
        session, reading = await asyncio.to_thread(_open, path, lock, clock, runs=runs, new=new)
    except BaseException:
        lock.close()
        raise
    name = worker or f"{socket.gethostname()}:{os.getpid()}"
    return SqliteStore(path, name, session, reading, lock, runs=runs)


def _open(path: Path, lock: Lock, clock: Callable[[], float], *, runs: bool, new: bool) -> tuple[Session, Connection]:
    alone = _lock_file(path, lock, runs=runs, new=new)
    connection = connect(path)
    try:
        last = Identity() if new or not runs else lock.read_identity()
        session = _prepare(connection, path, clock, alone=alone, runs=runs, last=last)
        if runs:
            _identify(session, path, lock)
        return session, connect(path, reading=True)
    except apsw.Error as error:
        connection.close()
        raise translate_error(error, path) from None
    except BaseException:
        connection.close()
        raise
    finally:
        if not runs:
            lock.release()


def _lock_file(path: Path, lock: Lock, *, runs: bool, new: bool) -> bool:
    """Lock the file, which is created unless it exists; return whether no other process works on it."""
    if not new:
        check_exists(path, lock.read_identity())
    check_location(path)
    create_private(path)
    try:
        lock.database.open()
    except OSError as error:
        raise open_error(error, path) from None
    alone = lock.try_acquire()
    if runs and not alone:
        lock.acquire()
    return runs or alone


def _prepare(
    connection: Connection, path: Path, clock: Callable[[], float], *, alone: bool, runs: bool, last: Identity
) -> Session:
    """Migrate the tables, and recover what a process that is gone was working on."""
    if check_version(connection, path):
        check_log(connection, path)
    if alone:
        check_integrity(connection, path)
        migrate(connection, path)
    elif (version := check_version(connection, path)) != VERSION:
        raise StoreError(
            f"{path}: an older version works on it (schema {version}; this one needs {VERSION}); stop that one first"
        )
    check_same(connection, path, last)
    session = Session(connection, _begin_epoch(connection) if runs else 0, clock)
    if alone:
        _recover(session)
    return session


def _identify(session: Session, path: Path, lock: Lock) -> None:
    """Write the identity of the database into the file itself and into the lock file."""
    before = session.rows_written
    with session.connection:
        identity = identify(session, path)
    if session.rows_written != before:
        with suppress(apsw.FullError, apsw.BusyError):  # the log is as safe, as long as it lies beside the file
            session.connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
    lock.sign(identity)


def _begin_epoch(connection: Connection) -> int:
    """Return the epoch of this runner; runners of earlier epochs are fenced off."""
    ((epoch,),) = connection.execute("UPDATE meta SET epoch = epoch + 1 RETURNING epoch").fetchall()
    return int(epoch)


def _recover(session: Session) -> None:
    failpoints.reach("sqlite.replay.before")
    session.begin()
    try:
        restore_waits(session)
        requeue_leased(session)
        drop_stale_feed(session)
        session.flush()
        failpoints.reach("sqlite.replay.written")
        session.commit()
    except BaseException:
        session.roll_back()
        raise
    failpoints.reach("sqlite.replay.committed")


WORKED_ON = f"SELECT id, ord, attempts, cut_off, retried FROM tasks WHERE route = ? AND queue > 0 AND queue = {LEASED}"
LAST_CALL = (
    "SELECT c.attempt FROM calls c LEFT JOIN ends e ON e.id = c.id"
    " WHERE c.id BETWEEN ? AND ? AND (e.state IS NULL OR e.state <> 'not_sent') ORDER BY c.id DESC LIMIT 1"
)
BACK = "UPDATE tasks SET state = 1, queue = ?, due = ?, attempts = ?, cut_off = ? WHERE id = ?"
WAITS = f"FROM tasks WHERE route = ? AND queue > 0 AND queue IN ({DUE}, {HELD}) AND due > 0"
NEWEST = f"SELECT max(updated) {WAITS}"
PUT_BACK = (
    "UPDATE tasks SET due = due - ?1, updated = updated - ?1"
    f" WHERE route = ?2 AND queue > 0 AND queue IN ({DUE}, {HELD}) AND due > 0"
)
LEAP = 300.0
"""A clock that is this many seconds behind its last reading has jumped; less is waited for."""
OFTEN, LONGEST = 10, 30.0
"""After the first number of crashes in a row a task waits a random time of up to the second, in seconds: if one of
several ends the process, the others get to their end meanwhile."""


def requeue_leased(session: Session) -> None:
    """Requeue leased tasks; an attempt counts when something may have been sent in it."""
    for route in session.route_ids():
        tasks = session.fetch_all(WORKED_ON, (route,))
        session.execute_many(BACK, [_requeue(session, row) for row in tasks])
        session.add_to_count(route, TaskState.PROCESSING, -len(tasks))
        session.add_to_count(route, TaskState.WAITING, len(tasks))
        update_turns(session, {(route, order) for _, order, *_ in tasks if order})


def restore_waits(session: Session) -> None:
    """Shift waiting tasks when the clock has gone back, so that their waits keep their length."""
    for route in session.route_ids():
        (newest,) = session.fetch_one(NEWEST, (route,))
        behind = (newest or 0.0) - session.now
        if behind > LEAP:
            session.execute(PUT_BACK, (behind, route))


def _requeue(session: Session, row: Row) -> Row:
    task, _, attempts, cut_off, retried = row
    first, last_place = call_id_range(task)
    last = session.fetch_one(LAST_CALL, (first + retried, last_place))
    if last and last[0] == attempts:
        return READY, 0.0, attempts, 0, task
    cut_off += 1
    wait = LONGEST * Random(f"{task} {cut_off}").random() if cut_off >= OFTEN else 0.0  # noqa: S311  to part tasks
    return DUE if wait else READY, session.now + wait if wait else 0.0, max(attempts - 1, 0), cut_off, task
