"""An incoming connection: what its subscriber reads, through its chain."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from connector import subscribers
from connector.aio.streams import take_until
from connector.errors import ConfigurationError
from connector.model import JSON, is_object
from connector.pipeline.chains import apply
from connector.pipeline.results import Counts, revive
from connector.pipeline.runtime import Runtime
from connector.pipeline.spec import RequestTemplate
from connector.pipeline.taking import Keeps, Taken, Taking
from connector.subscribers import Bookmark, Context, UnreadableDocument
from connector.transform import Chain, Failed, Origin
from connector.transform.context import Locks
from connector.transform.errors import format_key_path

if TYPE_CHECKING:
    from connector.config.models import Incoming

__all__ = ["Asks", "IncomingRun"]

Asks = Callable[[JSON, Mapping[str, JSON], JSON], Awaitable[Sequence[JSON]]]
Tell = Callable[[JSON, str, str], None]
NOTHING: Mapping[str, JSON] = {}


def _unheard(document: JSON, state: str, reason: str) -> None:
    """Whoever does not ask is not told."""


class IncomingRun:
    """One run of an incoming connection.

    Args:
        runtime: the configuration at work.
        name: the connection.
        tell: told of each document that failed, as it came, with its state and the reason.
        state: what templates of the request see, such as a cursor; else that is where it starts.
        asks: takes a request through the input chain, given the template and the document that it was made of.
    """

    def __init__(
        self,
        runtime: Runtime,
        name: str,
        *,
        tell: Tell = _unheard,
        state: Mapping[str, JSON] = NOTHING,
        asks: Asks | None = None,
    ) -> None:
        declared: Any = runtime.configuration.find("incoming", name)
        self._declared: Incoming = declared
        if declared.disabled:
            raise ConfigurationError(f"incoming {name!r} is disabled")
        self._runtime = runtime
        self._tell = tell
        self._asks = self._asked if asks is None else asks
        start = {} if self._declared.cursor is None else {"cursor": self._declared.cursor.start}
        self._state = {**start, **state}
        self._lost_count = 0
        self.origins: dict[str, str] = {}
        """Where the values of the last request came from, by their place in it."""
        self._where = f"incoming.{name}"
        self.counts = Counts()
        self.stopping = asyncio.Event()
        kind = subscribers.prototypes().find(declared.subscriber.prototype)
        where = f"{self._where}.subscriber.parameters"
        self._reader = kind.build(runtime.parameters(declared.subscriber, kind.parameters, kind.templates, where))
        self._input = runtime.chain(declared.input, f"{self._where}.input")
        self._chain: Chain = runtime.chain(declared.chain, f"{self._where}.chain")
        self.context = Context(
            folder=runtime.configuration.folder,
            client=runtime.client,
            call=runtime.call,
            requests=self._requests,
            on_unreadable=self._lost,
        )

    def stop(self, reason: str) -> None:
        """Reads no further; what was read goes through."""
        self.counts.stopped = reason
        self.stopping.set()

    async def documents(
        self, *, limit: int | None = None, instead: AsyncGenerator[JSON, None] | None = None
    ) -> AsyncGenerator[JSON, None]:
        """The documents that come of what is read.

        Args:
            limit: at most so many are read.
            instead: documents in place of the subscriber's, as when those that failed are tried again.
        """
        source = self._reader.documents(self.context) if instead is None else instead
        made = (
            self._chain.arun(self._counted(source, limit), self._chained)
            if self._streams
            else self._each(source, limit)
        )
        try:
            async for document in made:
                self.counts.given += 1
                yield document
        finally:
            if isinstance(made, AsyncGenerator):
                await made.aclose()
            self.counts.done = self.counts.read - self.counts.skipped - self.counts.failed

    def taken(
        self, marked: Callable[[str], Bookmark], keeping: Callable[[], Keeps] | None = None, *, raw: bool = False
    ) -> AsyncGenerator[Taken | Bookmark, None]:
        """Everything that is read, each document with what the chain makes of it; nobody is told.

        Args:
            marked: where an earlier reading stood, which this one goes on from.
            keeping: opens what the chain keeps of a document, in place of the configuration's storages.
            raw: leaves the chain to whoever takes the documents.
        """
        taking = Taking(
            self._reader,
            replace(self.context, find_bookmark=marked, is_repeated=True),
            Chain(()) if raw else self._chain,
            self._runtime.chained,
            redact=self._runtime.redact,
            where=self._where,
            keeping=keeping,
        )
        return taking.taken()

    async def explain(self) -> JSON:
        """What would be read first; nothing is read."""
        return await self._reader.explain(self.context)

    @property
    def _streams(self) -> bool:
        """Whether the chain must see all documents, or waits and so has many under way."""
        return self._chain.awaits or len(self._chain.stages) > 1 or any(_gathers(stage) for stage in self._chain.stages)

    async def _each(self, source: AsyncGenerator[JSON, None], limit: int | None) -> AsyncGenerator[JSON, None]:
        context = self._chained
        async with aclosing(self._counted(source, limit)) as documents:
            async for document in documents:
                for made in self._chain.apply(document, context):
                    yield made

    async def _counted(self, source: AsyncGenerator[JSON, None], limit: int | None) -> AsyncGenerator[JSON, None]:
        if limit == 0:
            return
        async with aclosing(take_until(self.stopping, source)) as documents:
            async for document in documents:
                self.counts.read += 1
                yield revive(document).document
                if self.counts.read - self._lost_count == limit:
                    return

    @property
    def _chained(self) -> Any:
        return replace(self._runtime.chained, on_skip=self._skipped, on_failed=self._failed)

    def _lost(self, lost: UnreadableDocument) -> None:
        self._lost_count += 1
        self.counts.read += 1
        self.counts.failed += 1
        self._tell(lost.document, "failed", self._runtime.redact(lost.reason))

    def _skipped(self, document: JSON, reason: str) -> None:
        self.counts.skipped += 1
        self._tell(document, "skipped", reason)

    def _failed(self, document: JSON, error: Failed) -> None:
        self.counts.failed += 1
        self._tell(document, "failed", self._runtime.redact(str(error)))

    async def _requests(self, template: JSON, document: Mapping[str, JSON]) -> AsyncGenerator[JSON, None]:
        """What the template becomes for a document, through the input chain."""
        asked = RequestTemplate(template, f"{self._where}.subscriber.parameters.request")
        scope = self._runtime.scope
        request = asked.resolve({**self._state, **document}, scope)
        self.origins = {format_key_path(origin.place): _told(origin) for origin in asked.origins if origin.place}
        for made in await self._asks(template, document, request):
            if made or made == request:
                self._note_changes(request, made)
                yield made

    async def _asked(self, _template: JSON, _document: Mapping[str, JSON], request: JSON) -> Sequence[JSON]:
        """What the input chain makes of a request, at once."""
        found = await apply(self._input, request, self._runtime.chained, Locks())
        if found.failed is not None:
            raise found.failed
        return found.documents

    def _note_changes(self, request: JSON, made: JSON) -> None:
        """Sections that the input chain changed are its own."""
        for name, value in made.items() if is_object(made) else ():
            if not is_object(request) or request.get(name) != value:
                kept = {place: why for place, why in self.origins.items() if not place.startswith(str(name))}
                self.origins = {**kept, str(name): "input chain"}


def _told(origin: Origin) -> str:
    if origin.kind == "constant":
        return "configuration"
    return f"variable: {origin.written}" if origin.kind == "variables" else f"template: {origin.written}"


def _gathers(stage: object) -> bool:
    return getattr(stage, "gather", None) is not None
