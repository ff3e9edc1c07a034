"""The identity and progress of a database, by which a lost or an older copy is recognized."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from connector.engine.sqlite.driver import Connection
from connector.engine.sqlite.session import Session
from connector.engine.store import StoreError
from connector.model import JSON, members

__all__ = ["Identity", "check_exists", "check_log", "check_same", "identify", "mark_copy"]

SPACE = "database"
"""The record space in which a database keeps its identity."""
KNOWN = f"SELECT key, json_extract(CAST(value AS TEXT), '$') FROM records WHERE space = '{SPACE}'"
WRITE = f"INSERT OR REPLACE INTO records VALUES ('{SPACE}', ?, CAST(json_quote(?) AS BLOB))"
AGAIN = (
    "documents that were delivered would be delivered, and paid for, again. Put the database back where it was, or go "
    "on all the same with `run --new`"
)


@dataclass(frozen=True, slots=True)
class Identity:
    """A database's name, the epoch of its last run, and the last task that was accepted."""

    name: str = ""
    epoch: int = 0
    task: int = 0

    @classmethod
    def from_json(cls, known: JSON) -> Identity:
        """Parse what `as_json` gave; return an empty identity for anything else."""
        found = members(known)
        name, epoch, task = (found.get(key) for key in ("name", "epoch", "task"))
        if not (isinstance(name, str) and isinstance(epoch, int) and isinstance(task, int)):
            return cls()
        return cls(name, epoch, task)

    @property
    def as_json(self) -> dict[str, JSON]:
        """Return the identity as it is stored."""
        return asdict(self)


def check_exists(path: Path, last: Identity) -> None:
    """Raise StoreError when earlier runs used a database here and it is now missing or empty."""
    if last.name and not _file_size(path):
        what = "it is empty" if path.exists() else "it is not there any more"
        raise StoreError(
            f"{path}: {what}, though earlier runs kept {last.task:,} tasks in it; {AGAIN}, which starts afresh"
        )


def check_same(connection: Connection, path: Path, last: Identity) -> None:
    """Raise StoreError when the database is another one than the last run used, or an older copy of it."""
    ((epoch, task),) = connection.execute("SELECT epoch, task FROM meta").fetchall()
    name = _read_value(connection, "name")
    if not last.name:
        return
    if name != last.name:
        raise StoreError(f"{path}: another database than the one that earlier runs worked on here; {AGAIN}")
    if epoch < last.epoch or task < last.task or _read_value(connection, "copy"):
        raise StoreError(
            f"{path}: an older copy of the database that runs worked on here: what they did after the copy was made "
            f"is not in it, and {AGAIN}"
        )


def check_log(connection: Connection, path: Path) -> None:
    """Raise StoreError when the last commits are in a log beside another name of this database."""
    home = Path(_read_value(connection, "home") or path)
    log, own = home.with_name(home.name + "-wal"), path.with_name(path.name + "-wal")
    if home == path or home.exists() or _file_size(own) or not _file_size(log):
        return
    raise StoreError(f"{path}: it was {home} before, and its last commits are in {log}; move that along, to {own}")


def identify(session: Session, path: Path) -> Identity:
    """Return the identity of the database, and write its name and path into it."""
    known: dict[str, str] = dict(session.fetch_all(KNOWN))
    name = known.get("name") or secrets.token_hex(8)
    wanted = {"name": name, "home": str(path)}
    session.execute_many(WRITE, [(key, value) for key, value in wanted.items() if known.get(key) != value])
    if "copy" in known:
        session.execute(f"DELETE FROM records WHERE space = '{SPACE}' AND key = 'copy'")
    ((task,),) = session.fetch_all("SELECT task FROM meta")
    return Identity(name, session.epoch, int(task))


def mark_copy(connection: Connection) -> None:
    """Mark the database as a copy, until a run works on it."""
    connection.execute(WRITE, ("copy", "yes"))


def _file_size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _read_value(connection: Connection, key: str) -> str:
    known: dict[str, str] = dict(connection.execute(KNOWN).fetchall())
    return known.get(key, "")
