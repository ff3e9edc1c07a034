"""Who is there: one-time codes that open a session, sessions kept by the hash of their cookie, limits on guesses."""

from __future__ import annotations

import hmac
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_urlsafe

from connector.studio.roles import Person, Role

__all__ = ["Attempts", "Session", "Sessions"]

IDLE = 12 * 3600.0
"""Seconds after which an unused session ends."""
LONGEST = 7 * 86_400.0
MAX_SESSIONS = 1000
"""Beyond this many, the one that was used longest ago ends."""
BYTES = 32
LOCAL = "local"
"""The name of whoever opened the printed link."""


@dataclass(slots=True)
class Session:
    """A person who signed in.

    Attributes:
        csrf: what unsafe requests must repeat in a header.
    """

    person: Person
    csrf: str
    opened: float
    used: float


class Sessions:
    """The sessions of one studio, in memory; a restart ends them.

    Args:
        clock: seconds since 1970.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._codes: dict[str, Role] = {}
        self._sessions: OrderedDict[str, Session] = OrderedDict()

    def make_code(self, role: Role = Role.EDITOR) -> str:
        """Return a new code, with which one session can be opened once."""
        code = token_urlsafe(BYTES)
        self._codes[_digest(code)] = role
        return code

    def redeem(self, code: str) -> Person | None:
        """Return who a code stands for, and forget the code; None when it is unknown or was used."""
        role = self._codes.pop(_digest(code), None)
        return None if role is None else Person(LOCAL, role, "session")

    def open(self, person: Person) -> tuple[str, Session]:
        """Open a session; return its secret, which only the cookie holds, and the session."""
        secret, now = token_urlsafe(BYTES), self._clock()
        session = Session(Person(person.name, person.role, "session"), token_urlsafe(BYTES), now, now)
        self._sessions[_digest(secret)] = session
        while len(self._sessions) > MAX_SESSIONS:
            self._sessions.popitem(last=False)
        return secret, session

    def find(self, secret: str) -> Session | None:
        """Return the session of a cookie; None when there is none or it has ended."""
        key, now = _digest(secret), self._clock()
        session = self._sessions.get(key)
        if session is None:
            return None
        if now - session.used > IDLE or now - session.opened > LONGEST:
            del self._sessions[key]
            return None
        session.used = now
        self._sessions.move_to_end(key)
        return session

    def close(self, secret: str) -> None:
        """End a session."""
        self._sessions.pop(_digest(secret), None)

    @staticmethod
    def matches(session: Session, csrf: str) -> bool:
        """Return whether a request repeats what the session gave."""
        return hmac.compare_digest(session.csrf.encode(), csrf.encode(errors="surrogateescape"))


FAILURES, WINDOW = 10, 60.0
MAX_ADDRESSES = 10_000


class Attempts:
    """Counts failed attempts to sign in by address, so that guesses are slow.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failed: OrderedDict[str, list[float]] = OrderedDict()

    def wait(self, address: str) -> float:
        """Return the seconds until an address may try again; 0 when it may now."""
        since = self._clock() - WINDOW
        recent = [at for at in self._failed.get(address, ()) if at > since]
        return recent[-FAILURES] - since if len(recent) >= FAILURES else 0.0

    def fail(self, address: str) -> None:
        """Count a failed attempt."""
        known = self._failed.setdefault(address, [])
        known.append(self._clock())
        del known[:-FAILURES]
        self._failed.move_to_end(address)
        while len(self._failed) > MAX_ADDRESSES:
            self._failed.popitem(last=False)


def _digest(secret: str) -> str:
    return sha256(secret.encode(errors="surrogateescape")).hexdigest()
