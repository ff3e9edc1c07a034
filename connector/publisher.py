"""Writes entities: Create is POST, Delete is DELETE, a verb is its own POST."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

from connector.errors import ConfigurationError, InvalidRequest
from connector.model import JSON, Outcome, Request, State

if TYPE_CHECKING:
    from connector.http import Client
    from connector.request import Explanation

__all__ = ["Publisher"]

Asked = Request | Mapping[str, JSON]


class Publisher:
    """One writing operation of an entity, called through a client; an entity alone means its `create`."""

    def __init__(self, client: Client, entity: str, action: str | None = None) -> None:
        self.client = client
        self.operation = client.catalogue.find(entity, action, use="write")
        if self.operation.method == "GET":
            raise ConfigurationError(f"{self.operation.name} only reads: use a subscriber")

    async def publish(self, request: Asked | None = None, *, to: Path | str | None = None) -> Outcome:
        """What one call came to; only a request that must not be sent raises."""
        return await self.client.send(self.client.prepare(self.operation, request), to=to)

    async def publish_many(
        self, requests: Iterable[Asked] | AsyncIterable[Asked], *, concurrency: int = 16
    ) -> AsyncGenerator[tuple[int, Outcome], None]:
        """Outcomes as they come, each with its request's position; an invalid request was not sent."""
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

    async def _one(self, position: int, request: Asked) -> tuple[int, Outcome]:
        if self.client.paused:
            return position, self.client.paused.outcome()
        try:
            return position, await self.publish(request)
        except InvalidRequest as error:
            return position, Outcome(State.NOT_SENT, reason=str(error), faults=error.faults)

    def stream(self, request: Asked | None = None) -> AsyncGenerator[JSON, None]:
        """The events of an answer that is sent while it is made."""
        return self.client.stream(self.client.prepare(self.operation, request, stream=True))

    def explain(self, request: Asked | None = None) -> Explanation:
        """The exact request, redacted, with where each value came from; nothing is sent."""
        return self.client.explain(self.client.prepare(self.operation, request))


async def _numbered(requests: Iterable[Asked] | AsyncIterable[Asked]) -> AsyncGenerator[tuple[int, Asked], None]:
    position = 0
    if isinstance(requests, AsyncIterable):
        async for request in requests:
            yield position, request
            position += 1
    else:
        for numbered in enumerate(requests):
            yield numbered
