"""The synchronous door: the same client, publisher and subscriber for callers without an event loop."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from contextlib import ExitStack, aclosing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

from anyio import EndOfStream, create_memory_object_stream
from anyio.from_thread import BlockingPortal, start_blocking_portal

from connector import http, publisher, subscriber
from connector.model import JSON, Outcome, Request

if TYPE_CHECKING:
    from connector.request import Explanation

__all__ = ["Client", "Publisher", "Subscriber"]

Asked = Request | Mapping[str, JSON]
Item = TypeVar("Item")


class Client:
    """An asynchronous client kept in a thread of its own."""

    def __init__(self, prototype: str = "openai", **parameters: JSON) -> None:
        self.client = http.Client(prototype, **parameters)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self.portal = self._stack.enter_context(start_blocking_portal())
        self._stack.enter_context(self.portal.wrap_async_context_manager(self.client))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


class Publisher:
    """A publisher whose calls wait."""

    def __init__(self, client: Client, entity: str, action: str | None = None) -> None:
        self._portal = client.portal
        self._publisher = publisher.Publisher(client.client, entity, action)

    def publish(self, request: Asked | None = None, *, to: Path | str | None = None) -> Outcome:
        """What one call came to."""
        return self._portal.call(partial(self._publisher.publish, request, to=to))

    def publish_many(self, requests: Iterable[Asked], *, concurrency: int = 16) -> Iterator[tuple[int, Outcome]]:
        """Outcomes as they come, each with its request's position."""
        return _pumped(self._portal, self._publisher.publish_many(requests, concurrency=concurrency))

    def stream(self, request: Asked | None = None) -> Iterator[JSON]:
        """The events of an answer that is sent while it is made."""
        return _pumped(self._portal, self._publisher.stream(request))

    def explain(self, request: Asked | None = None) -> Explanation:
        """The exact request, redacted; nothing is sent."""
        return self._publisher.explain(request)


class Subscriber:
    """A subscriber whose calls wait."""

    def __init__(self, client: Client, entity: str, action: str | None = None) -> None:
        self._portal = client.portal
        self._subscriber = subscriber.Subscriber(client.client, entity, action)

    def read(self, request: Asked | None = None, *, limit: int | None = None) -> Iterator[JSON]:
        """Every entity the operation gives, page after page."""
        return _pumped(self._portal, self._subscriber.read(request, limit=limit))

    def retrieve(self, request: Asked | None = None, *, to: Path | str | None = None) -> Outcome:
        """The outcome of one request, without following pages."""
        return self._portal.call(partial(self._subscriber.retrieve, request, to=to))

    def stream(self, request: Asked | None = None) -> Iterator[JSON]:
        """The events of an answer that is sent while it is made."""
        return _pumped(self._portal, self._subscriber.stream(request))

    def explain(self, request: Asked | None = None) -> Explanation:
        """The exact first request, redacted; nothing is sent."""
        return self._subscriber.explain(request)


def _pumped(portal: BlockingPortal, source: AsyncGenerator[Item, None]) -> Iterator[Item]:
    """The items of an asynchronous iterator, which one task of the portal walks from beginning to end."""
    send, receive = create_memory_object_stream[Item](0)

    async def pump() -> None:
        async with send, aclosing(source):
            async for item in source:
                await send.send(item)

    pumping = portal.start_task_soon(pump)
    try:
        while True:
            try:
                yield portal.call(receive.receive)
            except EndOfStream:
                pumping.result()
                return
    finally:
        pumping.cancel()
        portal.call(receive.aclose)
