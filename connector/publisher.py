"""Write entities: create is POST, delete is DELETE, a verb is a POST of its own."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

from connector.aio.bounded_map import map_unordered
from connector.errors import ConfigurationError
from connector.model import InvalidRequest, JSONInput, JSONValue, Outcome, Request, State

if TYPE_CHECKING:
    from connector.http import Client
    from connector.request import Explanation

__all__ = ["Publisher"]

RequestLike = Request | Mapping[str, JSONInput]


class Publisher:
    """One writing operation of an entity, called through a client; an entity alone means its `create`."""

    def __init__(self, client: Client, entity: str, action: str | None = None) -> None:
        self.client = client
        self.operation = client.catalogue.find(entity, action, use="write")
        if self.operation.method == "GET":
            raise ConfigurationError(f"{self.operation.name} only reads: use a subscriber")

    async def publish(self, request: RequestLike | None = None, *, to: Path | str | None = None) -> Outcome:
        """Make one call and return its outcome; raise InvalidRequest when it must not be sent.

        Args:
            request: {path, query, payload, headers}.
            to: a file for the body of the answer.
        """
        return await self.client.send(self.client.prepare(self.operation, request), to=to)

    async def publish_many(
        self, requests: Iterable[RequestLike] | AsyncIterable[RequestLike], *, concurrency: int = 16
    ) -> AsyncGenerator[tuple[int, Outcome], None]:
        """Yield outcomes as they arrive, each with the position of its request; an invalid request is not sent.

        Args:
            requests: the requests, one after the other.
            concurrency: the most calls at a time.
        """
        numbered = _number(requests) if isinstance(requests, AsyncIterable) else enumerate(requests)
        async with aclosing(map_unordered(numbered, self._one, concurrency)) as outcomes:
            async for outcome in outcomes:
                yield outcome

    async def _one(self, numbered: tuple[int, RequestLike]) -> tuple[int, Outcome]:
        position, request = numbered
        if self.client.paused:
            return position, self.client.paused.outcome()
        try:
            return position, await self.publish(request)
        except InvalidRequest as error:
            return position, Outcome(State.NOT_SENT, reason=str(error), faults=error.faults)

    def stream(self, request: RequestLike | None = None) -> AsyncGenerator[JSONValue, None]:
        """Yield the events of a streamed answer."""
        return self.client.stream(self.client.prepare(self.operation, request, stream=True))

    def explain(self, request: RequestLike | None = None) -> Explanation:
        """Return the exact request, redacted, with where each value came from; nothing is sent."""
        return self.client.explain(self.client.prepare(self.operation, request))


async def _number(requests: AsyncIterable[RequestLike]) -> AsyncGenerator[tuple[int, RequestLike], None]:
    position = 0
    async for request in requests:
        yield position, request
        position += 1
