"""Write entities: create is POST, delete is DELETE, a verb is a POST of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

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
        running: set[asyncio.Future[tuple[int, Outcome]]] = set()
        try:
            async with aclosing(_numbered(requests)) as numbered:
                async for position, request in numbered:
                    running.add(asyncio.create_task(self._one(position, request)))
                    if len(running) >= concurrency:
                        done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                        for task in done:
                            yield task.result()
            for task in asyncio.as_completed(running):
                yield await task
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _one(self, position: int, request: RequestLike) -> tuple[int, Outcome]:
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


async def _numbered(
    requests: Iterable[RequestLike] | AsyncIterable[RequestLike],
) -> AsyncGenerator[tuple[int, RequestLike], None]:
    position = 0
    if isinstance(requests, AsyncIterable):
        async for request in requests:
            yield position, request
            position += 1
    else:
        for numbered in enumerate(requests):
            yield numbered
