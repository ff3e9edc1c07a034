"""From a file to a store: locked, checked, brought up to this version, and what was cut off is ready again."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import apsw

from connector.engine import points
from connector.engine.sqlite.connection import connect, sound
from connector.engine.sqlite.driver import Connection
from connector.engine.sqlite.failures import meaning
from connector.engine.sqlite.identity import Identity, check_log, check_same, check_there, identified
from connector.engine.sqlite.lock import Lock
from connector.engine.sqlite.places import check_place, made_private, refused
from connector.engine.sqlite.recovery import put_back, take_over
from connector.engine.sqlite.schema import VERSION, bring_up, checked
from connector.engine.sqlite.session import Session
from connector.engine.sqlite.store import SqliteStore
from connector.engine.store import StoreError

__all__ = ["open_sqlite"]


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
    points.point("sqlite.replay.before")
    session.begin()
    try:
        put_back(session)
        take_over(session)
        session.finish()
        points.point("sqlite.replay.written")
        session.commit()
    except BaseException:
        session.undo()
        raise
    points.point("sqlite.replay.committed")
