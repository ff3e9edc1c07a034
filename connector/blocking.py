"""The same client, publisher and subscriber for programs without an event loop."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

from anyio.from_thread import start_blocking_portal

from connector import http, publisher, subscriber
from connector.aio.portal import iterate_in_portal
from connector.model import JSONInput, JSONValue, Outcome, Request
from connector.request.file_access import NOTHING, Reserved
from connector.timing import SYSTEM, Timing

if TYPE_CHECKING:
    import httpx

    from connector.catalogue import Catalogue
    from connector.http.prototypes import Prototype as ClientPrototype
    from connector.request import Explanation

__all__ = ["Client", "Publisher", "Subscriber"]

RequestLike = Request | Mapping[str, JSONInput]


class Client:
    """A client whose event loop runs in a thread of its own.

    Args:
        prototype: the kind of client, by name or as a value.
        transport: an engine's name, or any httpx transport in its place; the client closes it.
        catalogue: the entities that can be named; the catalogue that ships with the connector unless given.
        environ: where parameters that are not given come from; the process's environment unless given.
        timing: a clock, a way to wait and chance.
        reserved: files of the connector's own, which are never uploaded.
        parameters: the prototype's parameters.
    """

    def __init__(
        self,
        prototype: str | ClientPrototype = "openai",
        *,
        transport: httpx.AsyncBaseTransport | str | None = None,
        catalogue: Catalogue | None = None,
        environ: Mapping[str, str] | None = None,
        timing: Timing = SYSTEM,
        reserved: Reserved = NOTHING,
        **parameters: JSONInput,
    ) -> None:
        self.client = http.Client(
            prototype,
            transport=transport,
            catalogue=catalogue,
            environ=environ,
            timing=timing,
            reserved=reserved,
            shares=None,
            **parameters,
        )
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self.portal = self._stack.enter_context(start_blocking_portal())
        self._stack.enter_context(self.portal.wrap_async_context_manager(self.client))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


class Publisher:
    """One writing operation of an entity, called through a client; an entity alone means its `create`."""

    def __init__(self, client: Client, entity: str, action: str | None = None) -> None:
        self._portal = client.portal
        self._publisher = publisher.Publisher(client.client, entity, action)

    def publish(self, request: RequestLike | None = None, *, to: Path | str | None = None) -> Outcome:
        """Make one call and return its outcome."""
        return self._portal.call(partial(self._publisher.publish, request, to=to))

    def publish_many(self, requests: Iterable[RequestLike], *, concurrency: int = 16) -> Iterator[tuple[int, Outcome]]:
        """Yield outcomes as they arrive, each with the position of its request."""
        return iterate_in_portal(self._portal, self._publisher.publish_many(requests, concurrency=concurrency))

    def stream(self, request: RequestLike | None = None) -> Iterator[JSONValue]:
        """Yield the events of a streamed answer."""
        return iterate_in_portal(self._portal, self._publisher.stream(request))

    def explain(self, request: RequestLike | None = None) -> Explanation:
        """Return the exact request, redacted; nothing is sent."""
        return self._publisher.explain(request)


class Subscriber:
    """One readable operation of an entity, called through a client."""

    def __init__(self, client: Client, entity: str, action: str | None = None) -> None:
        self._portal = client.portal
        self._subscriber = subscriber.Subscriber(client.client, entity, action)

    def read(self, request: RequestLike | None = None, *, limit: int | None = None) -> Iterator[JSONValue]:
        """Yield every entity, page after page."""
        return iterate_in_portal(self._portal, self._subscriber.read(request, limit=limit))

    def retrieve(self, request: RequestLike | None = None, *, to: Path | str | None = None) -> Outcome:
        """Make one request and return its outcome, without following pages."""
        return self._portal.call(partial(self._subscriber.retrieve, request, to=to))

    def stream(self, request: RequestLike | None = None) -> Iterator[JSONValue]:
        """Yield the events of a streamed answer."""
        return iterate_in_portal(self._portal, self._subscriber.stream(request))

    def explain(self, request: RequestLike | None = None) -> Explanation:
        """Return the exact first request, redacted; nothing is sent."""
        return self._subscriber.explain(request)
