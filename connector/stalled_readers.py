"""Ends connections whose other side does not read what is written to it."""

from __future__ import annotations

import asyncio

__all__ = ["FLOOR", "StalledReaders"]

FLOOR = 16 * 1024
"""So many bytes must move while a server is patient: less is a caller who holds a connection, not a slow network."""
LOOKS = 4
"""How often a connection is looked at in the time that its other side has."""


class StalledReaders:
    """One look at the unread bytes of all connections, closing ones among them, now and then.

    Args:
        still: seconds in which so many bytes must be read while any are unread.
    """

    def __init__(self, still: float) -> None:
        self._still = still
        self._open: dict[asyncio.Transport, tuple[float, int] | None] = {}
        self._next_look: asyncio.TimerHandle | None = None

    def watch(self, transport: asyncio.Transport) -> None:
        """From now on what is written has to be read."""
        self._open[transport] = None
        if self._next_look is None:
            self._look_later()

    def forget(self, transport: asyncio.Transport) -> None:
        """The connection has ended."""
        self._open.pop(transport, None)
        if not self._open and self._next_look is not None:
            self._next_look.cancel()
            self._next_look = None

    def _look_later(self) -> None:
        self._next_look = asyncio.get_running_loop().call_later(self._still / LOOKS, self._look)

    def _look(self) -> None:
        now = asyncio.get_running_loop().time()
        for transport in tuple(self._open):
            self._check(transport, now)
        self._next_look = None
        if self._open:
            self._look_later()

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
