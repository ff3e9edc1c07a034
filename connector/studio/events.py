"""Events: what changed, told to every open page; one watcher for all of them, and bounded queues."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from secrets import token_hex

from connector.documents import dump
from connector.model import JSON

__all__ = ["Event", "EventHub", "Subscription"]

KEPT = 500
"""Events that are kept for pages that come back."""
MOST_WAITING = 100
"""Events that wait for a page that reads slowly; beyond these it is told to read everything anew."""
HEARTBEAT = 15.0
"""Seconds after which a comment is sent, so that nothing between takes the connection for dead."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that changed.

    Attributes:
        number: counts up from the start of the studio.
        start: names that start, so that a page that comes back to another process starts anew.
    """

    start: str
    number: int
    name: str
    data: bytes

    def encode(self) -> bytes:
        """Return the event as a page reads it."""
        return b"id: %s-%d\nevent: %s\ndata: %s\n\n" % (self.start.encode(), self.number, self.name.encode(), self.data)


class Subscription:
    """The events of one open page."""

    def __init__(self) -> None:
        self._waiting: deque[Event] = deque()
        self._news = asyncio.Event()
        self.is_closed = False
        self.has_lost = False
        """Whether events were dropped, since the page read too slowly."""

    def add(self, event: Event) -> None:
        """Add an event; an older one of the same name that nobody has read yet is replaced, as the newer says more."""
        for known in [one for one in self._waiting if one.name == event.name and event.name != "tasks"]:
            self._waiting.remove(known)
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.clear()
            self.has_lost = True
        self._waiting.append(event)
        self._news.set()

    def close(self) -> None:
        """End the stream."""
        self.is_closed = True
        self._news.set()

    async def take(self, seconds: float) -> Event | None:
        """Return the next event; None when none came for some seconds, or the stream has ended."""
        if not self._waiting and not self.is_closed:
            self._news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._news.wait()
        return self._waiting.popleft() if self._waiting else None


class EventHub:
    """Hands each event to every open page."""

    def __init__(self) -> None:
        self._start = token_hex(4)
        self._number = 0
        self._kept: deque[Event] = deque(maxlen=KEPT)
        self._latest: dict[str, Event] = {}
        self._subscriptions: set[Subscription] = set()
        self.opened = asyncio.Event()
        """Set while a page is open."""

    def publish(self, name: str, data: Mapping[str, JSON]) -> bool:
        """Tell every page of something; return whether that is news: what is as it was told last is not told again."""
        written = dump(dict(data))
        latest = self._latest.get(name)
        if name != "tasks" and latest is not None and latest.data == written:
            return False
        self._number += 1
        event = self._latest[name] = Event(self._start, self._number, name, written)
        self._kept.append(event)
        for subscription in self._subscriptions:
            subscription.add(event)
        return True

    def close(self) -> None:
        """End every stream."""
        for subscription in self._subscriptions:
            subscription.close()

    async def stream(self, last: str = "", heartbeat: float = HEARTBEAT) -> AsyncGenerator[bytes]:
        """Yield events as a page reads them: first what it missed, or what is the case now.

        Args:
            last: the id of the last event that the page has read; empty when it comes for the first time.
            heartbeat: seconds without an event after which a comment is sent.
        """
        subscription = Subscription()
        self._subscriptions.add(subscription)
        self.opened.set()
        try:
            yield b"retry: 2000\n\n"
            for event in self._missed(last):
                yield event.encode()
            while True:
                found = await subscription.take(heartbeat)
                if subscription.has_lost:
                    subscription.has_lost = False
                    yield self._resync().encode()
                if found is not None:
                    yield found.encode()
                elif subscription.is_closed:
                    return
                else:
                    yield b": still here\n\n"
        finally:
            self._subscriptions.discard(subscription)
            if not self._subscriptions:
                self.opened.clear()

    def _missed(self, read: str) -> list[Event]:
        """Return what a page has to read first."""
        latest = sorted(self._latest.values(), key=lambda event: event.number)
        states = [event for event in latest if event.name != "tasks"]
        if not read:
            return states
        start, _, number = read.partition("-")
        last = int(number) if start == self._start and number.isdecimal() else self._number + 1
        oldest = self._kept[0].number if self._kept else self._number + 1
        if last > self._number or last < oldest - 1:
            return [self._resync(), *states]
        return [event for event in self._kept if event.number > last]

    def _resync(self) -> Event:
        """Return the event that tells a page to read everything anew."""
        return Event(self._start, self._number, "resync", b"{}")
