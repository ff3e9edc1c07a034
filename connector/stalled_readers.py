"""Close connections whose other side does not read what is written to it."""

from __future__ import annotations

import asyncio

__all__ = ["FLOOR", "StalledReaders"]

FLOOR = 16 * 1024
"""The fewest bytes that must be read within the time; fewer is a caller who holds a connection, not a slow network."""
CHECKS = 4
"""How often a connection is checked within the time that its other side has."""


class StalledReaders:
    """Checks the unread bytes of all connections now and then, closing ones included.

    Args:
        still: seconds within which FLOOR bytes must be read while any are unread.
    """

    def __init__(self, still: float) -> None:
        self._still = still
        self._open: dict[asyncio.Transport, tuple[float, int] | None] = {}
        self._next_check: asyncio.TimerHandle | None = None

    def watch(self, transport: asyncio.Transport) -> None:
        """Start to check a connection."""
        self._open[transport] = None
        if self._next_check is None:
            self._schedule_check()

    def forget(self, transport: asyncio.Transport) -> None:
        """Stop checking a connection that has ended."""
        self._open.pop(transport, None)
        if not self._open and self._next_check is not None:
            self._next_check.cancel()
            self._next_check = None

    def _schedule_check(self) -> None:
        self._next_check = asyncio.get_running_loop().call_later(self._still / CHECKS, self._check_all)

    def _check_all(self) -> None:
        now = asyncio.get_running_loop().time()
        for transport in tuple(self._open):
            self._check(transport, now)
        self._next_check = None
        if self._open:
            self._schedule_check()

    def _check(self, transport: asyncio.Transport, now: float) -> None:
        unread, known = transport.get_write_buffer_size(), self._open[transport]
        if not unread:
            self._open[transport] = None
        elif known is None or unread <= known[1] - FLOOR:
            self._open[transport] = now, unread
        else:
            self._open[transport] = known[0], max(known[1], unread)
            if now - known[0] >= self._still:
                transport.abort()
