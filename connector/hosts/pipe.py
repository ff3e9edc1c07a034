"""The two ends of a process: lines of JSON that its host reads, and nothing else among them."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from typing import BinaryIO

from connector.documents import dump
from connector.model import JSON

__all__ = ["Lines", "open_lines", "read_lines"]


class Lines:
    """Writes documents as lines.

    Args:
        output: keeps them until it is flushed, or full.
    """

    def __init__(self, output: BinaryIO) -> None:
        self._output = output

    def write(self, document: JSON) -> None:
        """Write a document, at once or with the next ones."""
        self._output.write(dump(document) + b"\n")

    def flush(self) -> None:
        """Write what waits: the host may act on it."""
        self._output.flush()


@contextmanager
def open_lines() -> Generator[Lines]:
    """Open lines that the host reads; whatever else is printed meanwhile goes to standard error."""
    shown = sys.stdout
    lines = Lines(shown.buffer)
    sys.stdout = sys.stderr
    try:
        yield lines
    finally:
        sys.stdout = shown
        lines.flush()


async def read_lines(source: BinaryIO) -> AsyncGenerator[bytes]:
    """Yield the lines that the host sends; it may keep one waiting, so each is read in a thread."""
    while line := await asyncio.to_thread(source.readline):
        if line.strip():
            yield line
