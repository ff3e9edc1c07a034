"""Reading a list to its end: only a complete one says that something is not there."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from connector.errors import CallFailed
from connector.model import JSON, Outcome, State, is_list, is_object
from connector.pagination import next_query
from connector.routes.delivering.marking import METADATA, Lookup
from connector.subscriber import Subscriber

__all__ = ["asking", "entities_of", "id_of"]

PAGE = 100
MOST_PAGES = 2000


def asking(subscriber: Subscriber, lookup: Lookup) -> dict[str, JSON]:
    """The query by which a list shows what is looked for, as far as the operation takes it."""
    asked: dict[str, JSON] = {"limit": PAGE, "order": "desc"}
    if lookup.field == ("metadata", METADATA):
        asked["metadata"] = {METADATA: lookup.value}
    return {name: value for name, value in asked.items() if name in subscriber.operation.query}


async def entities_of(subscriber: Subscriber, pages: AsyncGenerator[Outcome, None]) -> AsyncGenerator[list[JSON], None]:
    """The entities of each page; CallFailed when one cannot be read, is no list, or has no end."""
    count = 0
    async with aclosing(pages) as answers:
        async for answer in answers:
            body = answer.require()
            found = body.get("data") if is_object(body) else None
            if not is_list(found):
                raise _broken(answer, "the answer is no list")
            yield found
            count += 1
            more = next_query(subscriber.operation.pages, body)
            if not more and body.get("has_more") not in (None, False):
                raise _broken(answer, "the list says that there is more of it, and does not say where")
            if more and count == MOST_PAGES:
                raise CallFailed(
                    Outcome(State.REFUSED, 416, reason=f"after {count} pages the list had not come to its end")
                )


def id_of(entity: JSON) -> str:
    """The id of an entity; empty when it has none."""
    return str(entity.get("id", "")) if is_object(entity) else ""


def _broken(answer: Outcome, reason: str) -> CallFailed:
    return CallFailed(Outcome(State.UNKNOWN, answer.status, answer.headers, reason=reason))
