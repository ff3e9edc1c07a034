"""A disk for a connector that is to crash: it forgets what was not synced, is full for a while, or fails."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from random import Random
from typing import Any

import apsw

from tests.engine.disk import Disk, Event, recording

__all__ = ["Power"]

CODES = {"full": apsw.SQLITE_FULL, "write": apsw.SQLITE_IOERR_WRITE, "sync": apsw.SQLITE_IOERR_FSYNC}


class Power:
    """The disk under every database of this process, from now on.

    Args:
        folder: where the database is.
        seed: for what is lost of that which was not synced.
        share: how much of that is there all the same.
        trouble: {"kind": "full", "write" or "sync", "after": so many writes or syncs, "times": how often it fails}.
    """

    def __init__(self, folder: Path, seed: int, share: float, trouble: dict[str, Any] | None) -> None:
        self._folder = folder
        self._chance = Random(seed)
        self._before = {path.name: path.read_bytes() for path in folder.glob("tasks.db*")}
        self._share = share
        self._trouble = trouble
        self._seen = 0
        self._watched = recording()
        self._disk: Disk = self._watched.__enter__()
        if trouble:
            self._disk.fails = self._troubled

    def fails(self) -> None:
        """The power goes: the files are as a disk that kept what was synced, and some of the rest, shows them."""
        self._disk.fails = lambda _: threading.Event().wait()
        time.sleep(0.05)  # for a write of another thread that is under way
        found = self._disk.found(self._before, lambda: self._chance.random() < self._share)
        # Nothing of the lock is ever synced: it is as it was, or as it was written last.
        lock = self._folder / "tasks.db.lock"
        if lock.exists() and self._chance.random() < self._share:
            found[lock.name] = lock.read_bytes()
        for path in self._folder.glob("tasks.db*"):
            path.unlink()
        for name, data in found.items():
            if not name.endswith("-shm"):
                (self._folder / name).write_bytes(data)

    def _troubled(self, event: Event) -> None:
        trouble = self._trouble or {}
        if event.kind != ("sync" if trouble["kind"] == "sync" else "write"):
            return
        self._seen += 1
        if trouble["after"] < self._seen <= trouble["after"] + trouble["times"]:
            raise apsw.exception_for(CODES[trouble["kind"]])
