"""One runner at a time: a lock that the operating system releases when its process ends."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from connector.engine.sqlite.database_file import DatabaseFile, open_error
from connector.engine.sqlite.identity import Identity
from connector.engine.store import StoreHeld

__all__ = ["Lock"]

PATIENCE = 2.0
"""Seconds for which the lock is tried: an admin holds it for an instant."""
PAUSE = 0.02


class Lock:
    """The lock on a database file and on the lock file beside it.

    The file beside it stays, since removing it would let two processes hold one each, and since it tells which
    database the last run worked on.
    """

    def __init__(self, database: Path) -> None:
        self._database = database
        self._path = database.with_name(database.name + ".lock")
        self._file: int | None = None
        self.identity: Identity = Identity()
        """The identity that was last written into the lock file."""
        self._is_signed = False
        self.database = DatabaseFile(database)

    def acquire(self) -> None:
        """Acquire the lock; raise StoreHeld naming the holder when it stays taken."""
        end = time.monotonic() + PATIENCE
        while not self.try_acquire():
            if time.monotonic() >= end:
                raise StoreHeld(
                    f"{self._database}: {self._describe_holder()} works on it, and only one can; "
                    "stop that one, or name another engine"
                )
            time.sleep(PAUSE)

    def try_acquire(self) -> bool:
        """Try to acquire the lock once; return whether it is held now."""
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise open_error(error, self._path) from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        if not self.database.lock():  # another process opened it by another name
            os.close(file)
            return False
        self._file = file
        return True

    def release(self) -> None:
        """Release the lock; the database file stays open."""
        self.database.unlock()
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def close(self) -> None:
        """Release the lock and close the database file; call this after SQLite has closed it."""
        self.release()
        self.database.close()

    def read_identity(self) -> Identity:
        """Return the identity that the last run wrote; empty when none is known."""
        try:
            return Identity.from_json(json.loads(self._path.read_bytes()).get("database"))
        except (OSError, ValueError, AttributeError):
            return Identity()

    def sign(self, identity: Identity) -> None:
        """Write the holder and the identity into the lock file; the lock holds even where that fails."""
        if self._file is None or (self._is_signed and identity == self.identity):
            return
        self.identity, self._is_signed = identity, False
        since = datetime.now(UTC).isoformat(timespec="seconds")
        signed = {"pid": os.getpid(), "host": socket.gethostname(), "since": since, "database": identity.as_json}
        text = json.dumps(signed).encode()
        with suppress(OSError):
            # Padded to the old length, so that the file is never empty or torn.
            os.pwrite(self._file, text.ljust(os.fstat(self._file).st_size), 0)
            self._is_signed = True

    def _describe_holder(self) -> str:
        try:
            signed = json.loads(self._path.read_bytes())
            return f"process {signed['pid']} on {signed['host']}, since {signed['since']},"
        except (OSError, ValueError, KeyError, TypeError):
            return "another process"
