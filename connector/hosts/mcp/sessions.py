"""The sessions of clients that speak over HTTP: each its owner's, forgotten when it is not used."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from secrets import token_urlsafe

from connector.hosts.mcp.exchange import Session
from connector.hosts.mcp.protocol import RequestId

__all__ = ["HttpSession", "Sessions"]

MOST = 10_000
IDLE = 3600.0


@dataclass(slots=True, eq=False)
class HttpSession(Session):
    """A session with its requests under way."""

    under_way: dict[RequestId, asyncio.Task[object]] = field(default_factory=dict[RequestId, "asyncio.Task[object]"])


class Sessions:
    """All sessions of a server.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._sessions: OrderedDict[str, HttpSession] = OrderedDict()

    def begin(self, owner: str) -> HttpSession:
        """Begin a session; one too many ends the one that was not used for longest."""
        session = HttpSession(token_urlsafe(24), owner, used=self._clock())
        self._sessions[session.id] = session
        while len(self._sessions) > MOST or self._is_old(next(iter(self._sessions.values()))):
            self._sessions.popitem(last=False)
        return session

    def find(self, number: str, owner: str) -> HttpSession | None:
        """Return a session of its owner; what is another's is not there."""
        session = self._sessions.get(number)
        if session is None or session.owner != owner or self._is_old(session):
            return None
        session.used = self._clock()
        self._sessions.move_to_end(number)
        return session

    def end(self, session: HttpSession) -> None:
        """Forget a session; what is under way comes to its end and is noted."""
        self._sessions.pop(session.id, None)

    def _is_old(self, session: HttpSession) -> bool:
        return not session.under_way and self._clock() - session.used > IDLE
