"""Read entities: one GET, or one for each page of a list."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from connector.errors import ConfigurationError
from connector.model import CallFailed, JSONInput, JSONValue, Outcome, Request, State
from connector.pagination import items_of, next_query

if TYPE_CHECKING:
    from connector.http import Client
    from connector.request import Explanation

__all__ = ["Subscriber"]

RequestLike = Request | Mapping[str, JSONInput]


class Subscriber:
    """One readable operation of an entity, called through a client."""

    def __init__(self, client: Client, entity: str, action: str | None = None) -> None:
        self.client = client
        self.operation = client.catalogue.find(entity, action, use="read")
        if self.operation.method != "GET":
            raise ConfigurationError(
                f"{self.operation.name} is {self.operation.wire_name}: a subscriber reads with GET; use a publisher"
            )
        self.paging = client.find_called(self.operation).pages
        """How its list is read on, page after page."""

    async def read(
        self, request: RequestLike | None = None, *, limit: int | None = None, from_text: bool = False
    ) -> AsyncGenerator[JSONValue, None]:
        """Yield every entity, page after page; raise CallFailed for a page that cannot be read.

        Args:
            request: {path, query, headers}.
            limit: the most entities.
            from_text: whether values are text, as on a command line.
        """
        if limit is not None and limit <= 0:
            return
        read = 0
        async for page in self.pages(request, from_text=from_text):
            for document in items_of(page.require()):
                yield document
                read += 1
                if read == limit:
                    return

    async def pages(
        self, request: RequestLike | None = None, *, from_text: bool = False
    ) -> AsyncGenerator[Outcome, None]:
        """Yield the outcome of each page's request; the last one may not be done."""
        asked = Request.of(request)
        seen: set[str] = set()
        while True:
            outcome = await self.client.send(self.client.prepare(self.operation, asked, from_text=from_text))
            yield outcome
            more = next_query(self.paging, outcome.body) if outcome.ok else {}
            if not more:
                return
            cursor = next(iter(more.values()))
            if cursor in seen:
                raise CallFailed(_stuck(outcome, cursor))
            seen.add(cursor)
            asked = replace(asked, query={**asked.query, **more})

    async def retrieve(self, request: RequestLike | None = None, *, to: Path | str | None = None) -> Outcome:
        """Make one request and return its outcome, without following pages; `to` names a file for the body."""
        return await self.client.send(self.client.prepare(self.operation, request), to=to)

    def stream(self, request: RequestLike | None = None) -> AsyncGenerator[JSONValue, None]:
        """Yield the events of a streamed answer."""
        return self.client.stream(self.client.prepare(self.operation, request, stream=True))

    def explain(self, request: RequestLike | None = None) -> Explanation:
        """Return the exact first request, redacted, with where each value came from; nothing is sent."""
        return self.client.explain(self.client.prepare(self.operation, request))


def _stuck(outcome: Outcome, cursor: str) -> Outcome:
    reason = (
        f"the list gave the cursor {cursor!r} twice, so reading on would never end; entities after it were not read"
    )
    return replace(outcome, state=State.UNKNOWN, reason=reason)
