"""Looking whether a call took effect whose end nobody saw: what it brought about is found by listing."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import aclosing
from dataclasses import dataclass

from connector.errors import CallFailed, InvalidRequest
from connector.http import Client
from connector.model import JSON, Outcome, State
from connector.routes.delivering.listing import asking, entities_of, id_of
from connector.routes.delivering.marking import Lookup, made_at
from connector.subscriber import Subscriber

__all__ = ["CannotTell", "Found", "Missing", "look"]


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
    """What the list says of a call that began at a time, beside entities that are known to be of other calls.

    A client that knows no such list raises ConnectorError.
    """
    try:
        found = await _fitting(Subscriber(client, lookup.entity, "list"), lookup, started, taken)
    except CallFailed as failed:
        return CannotTell(failed.outcome)
    except InvalidRequest as error:
        return CannotTell(Outcome(State.NOT_SENT, reason=str(error), faults=error.faults))
    found.sort(key=lambda entity: made_at(entity) or 0.0)
    return Found(found[0], tuple(id_of(entity) for entity in found[1:])) if found else Missing()


async def _fitting(subscriber: Subscriber, lookup: Lookup, started: float, taken: Collection[str]) -> list[JSON]:
    """The entities that fit. Clocks differ and lists have an order of their own, so no time ends the search early."""
    found: list[JSON] = []
    pages = subscriber.pages({"path": lookup.path, "query": asking(subscriber, lookup)})
    async with aclosing(entities_of(subscriber, pages)) as answers:
        async for page in answers:
            found += [one for one in page if lookup.fits(one, started) and id_of(one) not in taken]
            if found and lookup.own:
                break
    return found
