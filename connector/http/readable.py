"""Whether a pooled connection has been closed by its server while nobody looked."""

from __future__ import annotations

import asyncio
import select

__all__ = ["has_news"]


def has_news(transport: asyncio.Transport) -> bool:
    """Whether something waits to be read where nothing is due: an end of file, or bytes that answer no request."""
    socket = transport.get_extra_info("socket")
    if socket is None or not hasattr(select, "poll"):
        return False
    descriptor: int = socket.fileno()
    if descriptor < 0:
        return True
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))
