"""Memory that the workers of one gateway share: numbers and texts, under one lock that a dead process cannot keep."""

from __future__ import annotations

import mmap
from tempfile import TemporaryFile
from types import TracebackType
from typing import BinaryIO, Self

__all__ = ["SharedLock", "SharedMemory", "SharedText"]

NUMBER = 8
HEADER = 2
"""Numbers before a text: how often it was written, and its length."""


class SharedLock:
    """A lock between processes, which its holder may take again; the system releases that of a process that dies."""

    def __init__(self) -> None:
        self._file: BinaryIO = TemporaryFile()  # noqa: SIM115  it is open as long as the lock is there
        self._depth = 0

    def __del__(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        if not self._depth:
            import fcntl

            fcntl.lockf(self._file, fcntl.LOCK_EX)
        self._depth += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._depth -= 1
        if not self._depth:
            import fcntl

            fcntl.lockf(self._file, fcntl.LOCK_UN)


class SharedMemory:
    """Memory that is made before the workers are, and that all of them see.

    Args:
        size: bytes; pages that nobody writes to take no memory.
        workers: how many there are.
    """

    def __init__(self, size: int, workers: int) -> None:
        self._bytes = memoryview(mmap.mmap(-1, size))
        self._used = 0
        self.lock = SharedLock()
        self.workers = workers
        self.worker = 0
        """Which of them this process is, from 1; 0 for the one that started them."""

    def numbers(self, count: int) -> memoryview[float]:
        """Return so many numbers, all 0."""
        return self._take(count * NUMBER).cast("d")

    def text(self, size: int) -> SharedText:
        """Return a text of at most so many bytes, which is empty."""
        return SharedText(self.numbers(HEADER), self._take(size), self.lock)

    def _take(self, size: int) -> memoryview:
        taken = self._bytes[self._used : self._used + size]
        if len(taken) < size:
            raise MemoryError("more is shared than there is room for")
        self._used += -(-size // NUMBER) * NUMBER
        return taken


class SharedText:
    """A text that any process may replace."""

    def __init__(self, header: memoryview[float], content: memoryview, lock: SharedLock) -> None:
        self._header = header
        self._content = content
        self._lock = lock

    @property
    def version(self) -> float:
        """Another one after each writing."""
        return self._header[0]

    def read(self) -> bytes:
        """Return the text."""
        with self._lock:
            return bytes(self._content[: int(self._header[1])])

    def write(self, text: bytes) -> bool:
        """Replace the text; return whether there was room for it."""
        if len(text) > len(self._content):
            return False
        with self._lock:
            self._content[: len(text)] = text
            self._header[1] = len(text)
            self._header[0] += 1
        return True
