"""From a file to a store: locked, checked, brought up to this version, and what was cut off is ready again."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from pathlib import Path

import apsw

from connector.engine import points
from connector.engine.sqlite.connection import connect, made_private, sound
from connector.engine.sqlite.driver import Connection
from connector.engine.sqlite.failures import meaning
from connector.engine.sqlite.leasing import take_over
from connector.engine.sqlite.lock import Lock
from connector.engine.sqlite.schema import VERSION, bring_up, checked
from connector.engine.sqlite.session import Session
from connector.engine.sqlite.store import SqliteStore
from connector.engine.store import StoreError

__all__ = ["open_sqlite"]


async def open_sqlite(path: Path, *, worker: str, clock: Callable[[], float], runs: bool) -> SqliteStore:
    """The tasks in a file.

    Args:
        path: the file; it is made when it is not there.
        worker: the name under which this process leases.
        clock: seconds since 1970.
        runs: whether this process works on the tasks, as only one can; or looks after them while another may work.
    """
    lock = Lock(path)
    try:
        session, reading = await asyncio.to_thread(_opened, path, lock, clock, runs=runs)
    except BaseException:
        lock.release()
        raise
    name = worker or f"{socket.gethostname()}:{os.getpid()}"
    return SqliteStore(path, name, session, reading, lock if runs else None)


def _opened(path: Path, lock: Lock, clock: Callable[[], float], *, runs: bool) -> tuple[Session, Connection]:
    made_private(path)
    alone = lock.taken()
    if runs and not alone:
        lock.take()
    connection = connect(path)
    try:
        session = _prepared(connection, path, clock, alone=runs or alone, runs=runs)
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


def _prepared(connection: Connection, path: Path, clock: Callable[[], float], *, alone: bool, runs: bool) -> Session:
    """The tables are what this version needs, and what a process that is gone was working on is ready again."""
    if alone:
        sound(connection, path)
        bring_up(connection, path)
    elif (version := checked(connection, path)) != VERSION:
        raise StoreError(
            f"{path}: an older version works on it (schema {version}; this one needs {VERSION}); stop that one first"
        )
    session = Session(connection, _new_epoch(connection) if runs else 0, clock)
    if alone:
        _replay(session)
    return session


def _new_epoch(connection: Connection) -> int:
    """The number of this runner; whoever has an earlier one is fenced off."""
    ((epoch,),) = connection.execute("UPDATE meta SET epoch = epoch + 1 RETURNING epoch").fetchall()
    return int(epoch)


def _replay(session: Session) -> None:
    points.point("sqlite.replay.before")
    session.begin()
    try:
        take_over(session)
        session.finish()
        points.point("sqlite.replay.written")
        session.commit()
    except BaseException:
        session.undo()
        raise
    points.point("sqlite.replay.committed")
