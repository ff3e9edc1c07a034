"""One runner at a time: a lock that the system takes back when its process is gone, however it went."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from connector.engine.store import StoreError

__all__ = ["Lock"]

PATIENCE = 2.0
"""Seconds for which the lock is tried: whoever looks after the tables holds it for an instant."""
PAUSE = 0.02


class Lock:
    """The lock beside a database; the file stays, since removing it would let two processes hold one each."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._path = database.with_name(database.name + ".lock")
        self._file: int | None = None

    def take(self) -> None:
        """Holds the lock until it is released, or StoreError naming who holds it."""
        end = time.monotonic() + PATIENCE
        while not self.taken():
            if time.monotonic() >= end:
                raise StoreError(
                    f"{self._database}: {self._holder()} works on it, and only one can; "
                    "stop that one, or name another engine"
                )
            time.sleep(PAUSE)

    def taken(self) -> bool:
        """Holds the lock until it is released, unless somebody else has it."""
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        self._file = file
        self._sign(file)
        return True

    def release(self) -> None:
        """Lets others have it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _sign(self, file: int) -> None:
        """Who holds it is told to others where that can be written; the lock holds all the same."""
        since = datetime.now(UTC).isoformat(timespec="seconds")
        text = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": since})
        with suppress(OSError):
            os.ftruncate(file, 0)
            os.pwrite(file, text.encode(), 0)

    def _holder(self) -> str:
        try:
            signed = json.loads(self._path.read_bytes())
            return f"process {signed['pid']} on {signed['host']}, since {signed['since']},"
        except (OSError, ValueError, KeyError, TypeError):
            return "another process"
