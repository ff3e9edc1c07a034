"""Looking whether a call took effect whose end nobody saw: what it brought about is found by listing."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from dataclasses import dataclass

from connector.errors import CallFailed, InvalidRequest
from connector.http import Client
from connector.model import JSON, Outcome, State, is_object
from connector.paging import items_of
from connector.routes.delivering.marking import METADATA, Lookup, made_at
from connector.subscriber import Subscriber

__all__ = ["CannotTell", "Found", "Missing", "look"]

SKEW = 60.0
"""Seconds that the server's clock may be behind ours."""
PAGE = 100
MOST_PAGES = 200


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
    """The list does not show it."""


@dataclass(frozen=True, slots=True)
class CannotTell:
    """The list could not be read."""

    outcome: Outcome


async def look(
    client: Client, lookup: Lookup, started: float, taken: Collection[str] = ()
) -> Found | Missing | CannotTell:
    """What the list says of a call that began at a time, beside entities that are known to be of other calls."""
    subscriber, since = Subscriber(client, lookup.entity, "list"), started - SKEW
    try:
        async with aclosing(_entities(subscriber, lookup, since)) as entities:
            found = [one async for one in entities if lookup.fits(one, since) and _id_of(one) not in taken]
    except CallFailed as failed:
        return CannotTell(failed.outcome)
    except InvalidRequest as error:
        return CannotTell(Outcome(State.NOT_SENT, reason=str(error), faults=error.faults))
    found.sort(key=lambda entity: made_at(entity) or 0.0)
    return Found(found[0], tuple(_id_of(entity) for entity in found[1:])) if found else Missing()


async def _entities(subscriber: Subscriber, lookup: Lookup, since: float) -> AsyncGenerator[JSON, None]:
    """What is listed, the newest first where the list can do that, and then no further back than need be."""
    query, newest_first = _query(subscriber, lookup)
    pages = 0
    async with aclosing(subscriber.pages({"path": lookup.path, "query": query})) as answers:
        async for answer in answers:
            entities = items_of(answer.require())
            for entity in entities:
                yield entity
            pages += 1
            oldest = made_at(entities[-1]) if entities else None
            if newest_first and oldest is not None and oldest < since:
                return
            if pages == MOST_PAGES:
                reason = f"after {pages} pages the list had not come to its end"
                raise CallFailed(Outcome(State.UNKNOWN, answer.status, reason=reason))


def _query(subscriber: Subscriber, lookup: Lookup) -> tuple[dict[str, JSON], bool]:
    known = subscriber.operation.query
    asked: dict[str, JSON] = {"limit": PAGE, "order": "desc"}
    if lookup.field == ("metadata", METADATA):
        asked["metadata"] = {METADATA: lookup.value}
    return {name: value for name, value in asked.items() if name in known}, "order" in known


def _id_of(entity: JSON) -> str:
    return str(entity.get("id", "")) if is_object(entity) else ""
