"""What a request may tell its client while it is answered: progress, and lines of the log."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from connector.hosts.mcp.protocol import LEVELS, RequestId, notification
from connector.model import JSON

__all__ = ["Exchange", "Session"]

FREE, INTERVAL = 10, 0.1
"""So many reports of progress come at once; seconds between two later ones: more often nobody can read them."""
LOGGER = "openai-connector"
Send = Callable[[JSON], None]


@dataclass(slots=True, eq=False)
class Session:
    """One client of a server.

    Attributes:
        id: of no other session, ever.
        owner: whose calls it sees; empty for the one client of a pipe.
        version: the protocol's, once it is agreed.
        level: the least important lines of the log that it wants; None for none.
    """

    id: str
    owner: str = ""
    version: str = ""
    level: str | None = "warning"
    used: float = 0.0
    """When it was last used, in monotonic seconds."""


@dataclass(slots=True, eq=False)
class Exchange:
    """One request of a client.

    Attributes:
        key: the client's own identity of the call; empty when it has given none.
        token: by which the client knows reports of progress; None when it wants none.
        send: sends a notification that belongs to the request.
        is_modern: whether the request stands by itself.
    """

    session: Session
    id: RequestId
    send: Send
    key: str = ""
    token: JSON = None
    is_modern: bool = False
    clock: Callable[[], float] = time.monotonic
    on_told: Callable[[], Awaitable[None]] | None = None
    """Called when the answer is with the client."""
    _steps: int = 0
    _last: float = field(default=float("-inf"))

    def report(self, message: str, *, is_last: bool = False) -> None:
        """Report progress, unless the client wants none or was told a moment ago."""
        if self.token is None:
            return
        self._steps += 1
        now = self.clock()
        if not is_last and self._steps > FREE and now - self._last < INTERVAL:
            return
        self._last = now
        params = {"progressToken": self.token, "progress": self._steps, "message": message}
        self.send(notification("notifications/progress", params))

    async def told(self) -> None:
        """Note that the answer is with the client."""
        if self.on_told is not None:
            await self.on_told()

    def log(self, level: str, data: JSON) -> None:
        """Send a line of the log, if the client wants lines of this importance."""
        wanted = self.session.level
        if wanted is None or LEVELS.index(level) < LEVELS.index(wanted):
            return
        self.send(notification("notifications/message", {"level": level, "logger": LOGGER, "data": data}))
