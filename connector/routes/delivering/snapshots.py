"""What a list shows before a call, so that what is in it afterwards is known as new, whatever any clock says."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from connector.errors import ConnectorError
from connector.http import Client
from connector.model import JSON
from connector.routes.delivering.listing import asking, entities_of, id_of
from connector.routes.delivering.marking import Lookup, made_at
from connector.subscriber import Subscriber
from connector.timing import SYSTEM, Timing

__all__ = ["Snapshots"]

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

    async def before(self, target: str, client: Client, lookup: Lookup) -> Lookup | None:
        """How a call's effect is told from what was there before; None when the list cannot be read."""
        key = _key(target, lookup)
        known = self._known.get(key)
        if known is None or self._clock() - known.taken > FRESH:
            try:
                known = self._known[key] = await self._taken(client, lookup)
            except ConnectorError:
                return None
        ids = tuple(id_of(thing) for thing in known.things if lookup.is_like(thing))
        return replace(lookup, after=known.newest, known=ids)

    def made(self, target: str, lookup: Lookup, thing: JSON) -> None:
        """Notes what a call has made: the next call of that name has not made it."""
        known = self._known.get(_key(target, lookup))
        if known is not None and made_at(thing) is not None:
            known.add([thing])

    async def _taken(self, client: Client, lookup: Lookup) -> Snapshot:
        subscriber = Subscriber(client, lookup.entity, "list")
        found = Snapshot(self._clock())
        ordered = "order" in subscriber.operation.query
        pages = subscriber.pages({"path": lookup.path, "query": asking(subscriber, lookup)})
        async with aclosing(entities_of(subscriber, pages)) as answers:
            async for page in answers:
                found.add(page)
                if ordered and _newest_first(page):
                    break
        return found


def _newest_first(things: Sequence[JSON]) -> bool:
    """Whether a page is in the order in which it was asked for; a list that has its own way is read whole."""
    made = [made_at(thing) for thing in things]
    dated = [one for one in made if one is not None]
    return len(dated) == len(made) and dated == sorted(dated, reverse=True)


def _key(target: str, lookup: Lookup) -> tuple[str, str, str]:
    return target, lookup.entity, repr(sorted(lookup.path.items()))
