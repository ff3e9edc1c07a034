"""From a file to a store: locked, checked, brought up to this version, and what was cut off is ready again."""

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
from connector.engine.sqlite.connection import connect, sound
from connector.engine.sqlite.database_file import check_place, made_private, refused
from connector.engine.sqlite.driver import Connection, Row, meaning
from connector.engine.sqlite.identity import Identity, check_log, check_same, check_there, identified
from connector.engine.sqlite.lock import Lock
from connector.engine.sqlite.queue import take_turns
from connector.engine.sqlite.rows import DUE, HELD, LEASED, READY, calls_within
from connector.engine.sqlite.schema import VERSION, bring_up, checked
from connector.engine.sqlite.session import Session
from connector.engine.sqlite.store import SqliteStore
from connector.engine.store import StoreError
from connector.engine.tasks import TaskState

__all__ = ["open_sqlite", "put_back", "take_over"]


async def open_sqlite(
    path: Path, *, worker: str, clock: Callable[[], float], runs: bool, new: bool = False
) -> SqliteStore:
    """Return the tasks in a file.

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
        session, reading = await asyncio.to_thread(_opened, path, lock, clock, runs=runs, new=new)
    except BaseException:
        lock.close()
        raise
    name = worker or f"{socket.gethostname()}:{os.getpid()}"
    return SqliteStore(path, name, session, reading, lock, runs=runs)


def _opened(path: Path, lock: Lock, clock: Callable[[], float], *, runs: bool, new: bool) -> tuple[Session, Connection]:
    alone = _locked(path, lock, runs=runs, new=new)
    connection = connect(path)
    try:
        last = Identity() if new or not runs else lock.last()
        session = _prepared(connection, path, clock, alone=alone, runs=runs, last=last)
        if runs:
            _identified(session, path, lock)
        return session, connect(path, reading=True)
    except apsw.Error as error:
        connection.close()
        raise meaning(error, path) from None
    except BaseException:
        connection.close()
        raise
    finally:
        if not runs:
            lock.release()


def _locked(path: Path, lock: Lock, *, runs: bool, new: bool) -> bool:
    """Lock the file, which is made unless there was one; return whether nobody else works on it."""
    if not new:
        check_there(path, lock.last())
    check_place(path)
    made_private(path)
    try:
        lock.database.open()
    except OSError as error:
        raise refused(error, path) from None
    alone = lock.taken()
    if runs and not alone:
        lock.take()
    return runs or alone


def _prepared(
    connection: Connection, path: Path, clock: Callable[[], float], *, alone: bool, runs: bool, last: Identity
) -> Session:
    """The tables are what this version needs, and what a process that is gone was working on is ready again."""
    if checked(connection, path):
        check_log(connection, path)
    if alone:
        sound(connection, path)
        bring_up(connection, path)
    elif (version := checked(connection, path)) != VERSION:
        raise StoreError(
            f"{path}: an older version works on it (schema {version}; this one needs {VERSION}); stop that one first"
        )
    check_same(connection, path, last)
    session = Session(connection, _new_epoch(connection) if runs else 0, clock)
    if alone:
        _replay(session)
    return session


def _identified(session: Session, path: Path, lock: Lock) -> None:
    """Which database it is stands in the file itself, whatever becomes of its log, and beside it."""
    before = session.written
    with session.connection:
        identity = identified(session, path)
    if session.written != before:
        with suppress(apsw.FullError, apsw.BusyError):  # what is in the log is as safe, as long as both are together
            session.connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
    lock.sign(identity)


def _new_epoch(connection: Connection) -> int:
    """The number of this runner; whoever has an earlier one is fenced off."""
    ((epoch,),) = connection.execute("UPDATE meta SET epoch = epoch + 1 RETURNING epoch").fetchall()
    return int(epoch)


def _replay(session: Session) -> None:
    failpoints.reach("sqlite.replay.before")
    session.begin()
    try:
        put_back(session)
        take_over(session)
        session.finish()
        failpoints.reach("sqlite.replay.written")
        session.commit()
    except BaseException:
        session.undo()
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
"""A clock that is so many seconds behind what it said before has jumped; less is waited for."""
OFTEN, LONGEST = 10, 30.0
"""After so many cuts in a row a task is given back for a time of its own, at most so many seconds away: if one of
several ends the process, the others get to their end meanwhile."""


def take_over(session: Session) -> None:
    """Makes ready what was leased; an attempt counts when something may have been sent in it."""
    for route in session.routes():
        tasks = session.all(WORKED_ON, (route,))
        session.execute_many(BACK, [_back(session, row) for row in tasks])
        session.count(route, TaskState.PROCESSING, -len(tasks))
        session.count(route, TaskState.WAITING, len(tasks))
        take_turns(session, {(route, order) for _, order, *_ in tasks if order})


def put_back(session: Session) -> None:
    """Makes waits as long as they were meant to be although the clock has gone back since."""
    for route in session.routes():
        (newest,) = session.one(NEWEST, (route,))
        behind = (newest or 0.0) - session.now
        if behind > LEAP:
            session.execute(PUT_BACK, (behind, route))


def _back(session: Session, row: Row) -> Row:
    task, _, attempts, cut_off, retried = row
    first, last_place = calls_within(task)
    last = session.one(LAST_CALL, (first + retried, last_place))
    if last and last[0] == attempts:
        return READY, 0.0, attempts, 0, task
    cut_off += 1
    wait = LONGEST * Random(f"{task} {cut_off}").random() if cut_off >= OFTEN else 0.0  # noqa: S311  to part tasks
    return DUE if wait else READY, session.now + wait if wait else 0.0, max(attempts - 1, 0), cut_off, task
