"""Finds out whether a call without a known end took effect: by whole lists, before the call and after it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from connector.delivery.idempotency_keys import METADATA, Lookup, made_at
from connector.engine import CallRecord
from connector.errors import ConnectorError
from connector.http import Client
from connector.model import JSON, CallFailed, InvalidRequest, Outcome, State, is_list, is_object, members
from connector.pagination import next_query
from connector.resilience import Backoff
from connector.subscriber import Subscriber
from connector.timing import SYSTEM, Timing

__all__ = [
    "CannotTell",
    "Found",
    "Missing",
    "SettlingWindows",
    "Snapshots",
    "id_of",
    "list_query",
    "look",
    "read_pages",
]

PAGE = 100
MOST_PAGES = 2000


def list_query(subscriber: Subscriber, lookup: Lookup) -> dict[str, JSON]:
    """Return the query by which a list shows what is looked for, as far as the operation takes it."""
    asked: dict[str, JSON] = {"limit": PAGE, "order": "desc"}
    if lookup.field == ("metadata", METADATA):
        asked["metadata"] = {METADATA: lookup.value}
    return {name: value for name, value in asked.items() if name in subscriber.operation.query}


async def read_pages(subscriber: Subscriber, pages: AsyncGenerator[Outcome, None]) -> AsyncGenerator[list[JSON], None]:
    """Yield the entities of each page; raise CallFailed when a page cannot be read or the list has no end."""
    count = 0
    async with aclosing(pages) as answers:
        async for answer in answers:
            body = members(answer.require())
            found = body.get("data")
            if not is_list(found):
                raise _make_failure(answer, "the answer is no list")
            yield found
            count += 1
            more = next_query(subscriber.operation.pages, body)
            if not more and body.get("has_more") not in (None, False):
                raise _make_failure(answer, "the list says that there is more of it, and does not say where")
            if more and count == MOST_PAGES:
                raise CallFailed(
                    Outcome(State.REFUSED, 416, reason=f"after {count} pages the list had not come to its end")
                )


def id_of(entity: JSON) -> str:
    """Return the id of an entity; empty when it has none."""
    return str(entity.get("id", "")) if is_object(entity) else ""


def _make_failure(answer: Outcome, reason: str) -> CallFailed:
    return CallFailed(Outcome(State.UNKNOWN, answer.status, answer.headers, reason=reason))


FRESH = 60.0
"""Seconds for which a snapshot serves all calls; what others make meanwhile may be taken for ours."""


@dataclass(slots=True)
class Snapshot:
    """The things of one list, and when the newest of them was made by the clock that dates them."""

    taken: float
    newest: float = 0.0
    things: list[JSON] = field(default_factory=list[JSON])

    def add(self, things: Sequence[JSON]) -> None:
        self.things += things
        self.newest = max([self.newest, *(made_at(thing) or 0.0 for thing in things)])


class Snapshots:
    """The lists that are looked at before calls whose effects carry no key of ours."""

    def __init__(self, timing: Timing = SYSTEM) -> None:
        self._clock = timing.clock
        self._known: dict[tuple[str, str, str], Snapshot] = {}

    async def take(self, target: str, client: Client, lookup: Lookup) -> Lookup | None:
        """Return a lookup that excludes what the list has now; None when it cannot be read."""
        key = _list_key(target, lookup)
        known = self._known.get(key)
        if known is None or self._clock() - known.taken > FRESH:
            try:
                known = self._known[key] = await self._read_list(client, lookup)
            except ConnectorError:
                return None
        ids = tuple(id_of(thing) for thing in known.things if lookup.is_like(thing))
        return replace(lookup, after=known.newest, known=ids)

    def note_made(self, target: str, lookup: Lookup, thing: JSON) -> None:
        """Note what a call has made: the next call of that name has not made it."""
        known = self._known.get(_list_key(target, lookup))
        if known is not None and made_at(thing) is not None:
            known.add([thing])

    async def _read_list(self, client: Client, lookup: Lookup) -> Snapshot:
        subscriber = Subscriber(client, lookup.entity, "list")
        found = Snapshot(self._clock())
        ordered = "order" in subscriber.operation.query
        pages = subscriber.pages({"path": lookup.path, "query": list_query(subscriber, lookup)})
        async with aclosing(read_pages(subscriber, pages)) as answers:
            async for page in answers:
                found.add(page)
                if ordered and _newest_first(page):
                    break
        return found


def _newest_first(things: Sequence[JSON]) -> bool:
    """Return whether a page is ordered newest first; a list in another order is read whole."""
    made = [made_at(thing) for thing in things]
    dated = [one for one in made if one is not None]
    return len(dated) == len(made) and dated == sorted(dated, reverse=True)


def _list_key(target: str, lookup: Lookup) -> tuple[str, str, str]:
    return target, lookup.entity, repr(sorted(lookup.path.items()))


Key = tuple[int, int, int]
LOOKS = Backoff(5.0, 120.0)
"""Seconds until a list is looked at again while it may still come to show something."""


class SettlingWindows:
    """Settling windows of calls that are looked for.

    A window counts from the end of its call, as far as that is known: from when this process saw it, else from when the
    call must have ended by its time-out. Time is measured by the server's own clock where both ends of the
    time are known by that, else by how long this process has been looking.

    Args:
        seconds: in place of what each client says.
    """

    def __init__(self, timing: Timing = SYSTEM, seconds: float | None = None) -> None:
        self._clock = timing.clock
        self._seconds = seconds
        self._ended: dict[Key, float] = {}
        self._looked: dict[Key, float] = {}
        self._looks: dict[Key, int] = {}

    def note_end(self, call: CallRecord) -> None:
        """Note that a call has ended now, for what it did."""
        self._ended[_key(call)] = self._clock()

    def remaining(self, call: CallRecord, lookup: Lookup, client: Client) -> float:
        """Return the seconds until the absence of an effect from the list means that there is none."""
        key, now, settling = _key(call), self._clock(), self._window(client)
        if key in self._ended:
            return max(self._ended[key] + settling - now, 0.0)
        looking = now - self._looked.setdefault(key, now)
        patience = lookup.patience or client.parameters.timeouts.total
        server = client.server_time
        # A `Date` has whole seconds, so one of the two may say a second more than the other.
        passed = server - lookup.began - 1.0 if server is not None and lookup.began is not None else 0.0
        if call.open:
            return max(patience + settling - max(looking, passed), 0.0)
        return max(min(settling - looking, patience + settling - passed), 0.0)

    def until_next_look(self, call: CallRecord, left: float) -> float:
        """Return the seconds until the list is looked at again: what shows early need not wait for the window's end."""
        looks = self._looks[_key(call)] = self._looks.get(_key(call), 0) + 1
        return min(LOOKS.delay(looks - 1), left)

    def forget(self, call: CallRecord) -> None:
        """Forget a call of which it is known what it came to."""
        for known in (self._ended, self._looked, self._looks):
            known.pop(_key(call), None)

    def _window(self, client: Client) -> float:
        return client.parameters.timeouts.settling if self._seconds is None else self._seconds


def _key(call: CallRecord) -> Key:
    return call.task, call.attempt, call.number


@dataclass(frozen=True, slots=True)
class Found:
    """It took effect.

    Attributes:
        entity: what it brought about, the first of them.
        others: the ids of more that fit.
    """

    entity: JSON
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Missing:
    """The list does not show it, from its beginning to its end."""


@dataclass(frozen=True, slots=True)
class CannotTell:
    """The list could not be read."""

    outcome: Outcome


async def look(
    client: Client, lookup: Lookup, started: float, taken: Collection[str] = ()
) -> Found | Missing | CannotTell:
    """Return what the list says of a call that began at a time, beside entities that are known to be of other calls.

    A client that knows no such list raises ConnectorError.
    """
    try:
        found = await _find_fitting(Subscriber(client, lookup.entity, "list"), lookup, started, taken)
    except CallFailed as failed:
        return CannotTell(failed.outcome)
    except InvalidRequest as error:
        return CannotTell(Outcome(State.NOT_SENT, reason=str(error), faults=error.faults))
    found.sort(key=lambda entity: made_at(entity) or 0.0)
    return Found(found[0], tuple(id_of(entity) for entity in found[1:])) if found else Missing()


async def _find_fitting(subscriber: Subscriber, lookup: Lookup, started: float, taken: Collection[str]) -> list[JSON]:
    """Return the entities that fit; clocks and orders of lists differ, so no time ends the search early."""
    found: list[JSON] = []
    pages = subscriber.pages({"path": lookup.path, "query": list_query(subscriber, lookup)})
    async with aclosing(read_pages(subscriber, pages)) as answers:
        async for page in answers:
            found += [one for one in page if lookup.fits(one, started) and id_of(one) not in taken]
            if found and lookup.own:
                break
    return found
