"""One runner at a time: locks that the system takes back when its process is gone, however it went."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from connector.engine.sqlite.database_file import DatabaseFile, refused
from connector.engine.sqlite.identity import Identity
from connector.engine.store import StoreHeld

__all__ = ["Lock"]

PATIENCE = 2.0
"""Seconds for which the lock is tried: whoever looks after the tables holds it for an instant."""
PAUSE = 0.02


class Lock:
    """The lock on a database and on the name beside it.

    The file beside it stays, since removing it would let two processes hold one each, and since it tells which
    database the last run worked on.
    """

    def __init__(self, database: Path) -> None:
        self._database = database
        self._path = database.with_name(database.name + ".lock")
        self._file: int | None = None
        self.identity: Identity = Identity()
        """Which database it is, and how far it is, as it was signed last."""
        self._is_signed = False
        self.database = DatabaseFile(database)

    def take(self) -> None:
        """Hold the lock until it is released, or StoreHeld naming who holds it."""
        end = time.monotonic() + PATIENCE
        while not self.taken():
            if time.monotonic() >= end:
                raise StoreHeld(
                    f"{self._database}: {self._holder()} works on it, and only one can; "
                    "stop that one, or name another engine"
                )
            time.sleep(PAUSE)

    def taken(self) -> bool:
        """Hold the lock until it is released, unless somebody else has it."""
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise refused(error, self._path) from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        if not self.database.lock():  # somebody came by another name
            os.close(file)
            return False
        self._file = file
        return True

    def release(self) -> None:
        """Let others have it; the database stays open."""
        self.database.unlock()
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def close(self) -> None:
        """Let go of the database as well, once SQLite has closed it."""
        self.release()
        self.database.close()

    def last(self) -> Identity:
        """Return which database the last run worked on, and how far it came; empty when none is known of."""
        try:
            return Identity.of(json.loads(self._path.read_bytes()).get("database"))
        except (OSError, ValueError, AttributeError):
            return Identity()

    def sign(self, identity: Identity) -> None:
        """Write down who holds it and how far the database is, where that can be written; it holds all the same."""
        if self._file is None or (self._is_signed and identity == self.identity):
            return
        self.identity, self._is_signed = identity, False
        since = datetime.now(UTC).isoformat(timespec="seconds")
        signed = {"pid": os.getpid(), "host": socket.gethostname(), "since": since, "database": identity.known}
        text = json.dumps(signed).encode()
        with suppress(OSError):
            # Blanks before the end, so that it is never empty or torn in between.
            os.pwrite(self._file, text.ljust(os.fstat(self._file).st_size), 0)
            self._is_signed = True

    def _holder(self) -> str:
        try:
            signed = json.loads(self._path.read_bytes())
            return f"process {signed['pid']} on {signed['host']}, since {signed['since']},"
        except (OSError, ValueError, KeyError, TypeError):
            return "another process"
