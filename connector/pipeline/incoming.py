"""An incoming connection: what its subscriber reads, through its chain."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from connector import subscribers
from connector.errors import ConfigurationError
from connector.model import JSON, is_object
from connector.pipeline.chains import apply
from connector.pipeline.reader import NO_LIMITS, Kept, Limits, Read, Reader, ReadResult
from connector.pipeline.results import Counts, End
from connector.pipeline.runtime import Runtime
from connector.pipeline.spec import RequestTemplate
from connector.subscribers import Bookmark, Context, DocumentReader
from connector.transform import Chain, Origin
from connector.transform.context import Locks
from connector.transform.errors import format_key_path

if TYPE_CHECKING:
    from connector.config.models import Incoming

__all__ = ["Asks", "IncomingRun"]

Asks = Callable[[JSON, Mapping[str, JSON], JSON], Awaitable[Sequence[JSON]]]
Tell = Callable[[JSON, str, str], None]
NOTHING: Mapping[str, JSON] = {}


def _ignore(document: JSON, state: str, reason: str) -> None:
    """Do nothing."""


class IncomingRun:
    """One run of an incoming connection.

    Args:
        runtime: the opened configuration.
        name: the connection.
        tell: called with each document that failed, as it was read, its state and the reason.
        state: what templates of the request see, such as a cursor; else that is where it starts.
        asks: takes a request through the input chain, given the template and the document that it was made of.
    """

    def __init__(
        self,
        runtime: Runtime,
        name: str,
        *,
        tell: Tell = _ignore,
        state: Mapping[str, JSON] = NOTHING,
        asks: Asks | None = None,
    ) -> None:
        declared: Any = runtime.configuration.find("incoming", name)
        self._declared: Incoming = declared
        if declared.disabled:
            raise ConfigurationError(f"incoming {name!r} is disabled")
        self._runtime = runtime
        self._tell = tell
        self._asks = self._apply_input if asks is None else asks
        start = {} if self._declared.cursor is None else {"cursor": self._declared.cursor.start}
        self._state = {**start, **state}
        self.origins: dict[str, str] = {}
        """Where the values of the last request came from, by their place in it."""
        self._where = f"incoming.{name}"
        self.counts = Counts()
        self._stopping = asyncio.Event()
        kind = subscribers.prototypes().find(declared.subscriber.prototype)
        where = f"{self._where}.subscriber.parameters"
        self._subscriber = kind.build(runtime.parameters(declared.subscriber, kind.parameters, kind.templates, where))
        self._input = runtime.chain(declared.input, f"{self._where}.input")
        self._chain: Chain = runtime.chain(declared.chain, f"{self._where}.chain")
        self.context = Context(
            folder=runtime.configuration.folder,
            client=runtime.client,
            call=runtime.call,
            requests=self._make_requests,
        )

    def stop(self, reason: str) -> None:
        """Read no further; what was read goes through."""
        self.counts.stopped = reason
        self._stopping.set()

    async def documents(
        self, *, limit: int | None = None, instead: AsyncGenerator[JSON, None] | None = None
    ) -> AsyncGenerator[JSON, None]:
        """Read, and yield the documents that the chain makes.

        Args:
            limit: how many are read at most.
            instead: documents in place of the subscriber's, as when those that failed are tried again.
        """
        limits = Limits(limit, self._stopping, doubts=True)
        source = self._subscriber if instead is None else _Given(instead)
        reader = self._make_reader(source, self.context, self._chain, limits=limits)
        async with aclosing(reader.read()) as found:
            async for result in found:
                if isinstance(result, ReadResult):
                    self._count(result, reader.completes(result))
                    for document in result.made:
                        self.counts.given += 1
                        yield document

    def read(
        self, find_bookmark: Callable[[str], Bookmark], keep: Callable[[], Kept] | None = None, *, raw: bool = False
    ) -> AsyncGenerator[ReadResult | Bookmark, None]:
        """Yield everything that is read, each document with what the chain makes of it.

        Args:
            find_bookmark: returns the bookmark of an earlier reading of a part, from which this one continues.
            keep: opens what the chain keeps of a document, in place of the configuration's storages.
            raw: whether the chain is left to the caller.
        """
        context = replace(self.context, find_bookmark=find_bookmark, is_repeated=True)
        return self._make_reader(self._subscriber, context, Chain(()) if raw else self._chain, keep=keep).read()

    async def explain(self) -> JSON:
        """Return what would be read first; nothing is read."""
        return await self._subscriber.explain(self.context)

    def _make_reader(
        self,
        source: DocumentReader,
        context: Context,
        chain: Chain,
        *,
        keep: Callable[[], Kept] | None = None,
        limits: Limits = NO_LIMITS,
    ) -> Reader:
        return Reader(
            source,
            context,
            chain,
            self._runtime.chained,
            redact=self._runtime.redact,
            where=self._where,
            connect=self._runtime.calls if chain.calls else None,
            keep=keep,
            limits=limits,
        )

    def _count(self, result: ReadResult, reads: Sequence[Read]) -> None:
        self.counts.read += len(reads)
        state: End = "done" if result.made or not (result.failed or result.skipped) else "skipped"
        if result.failed:
            state = "unknown" if result.is_unknown else "failed"
        self.counts.add(state, len(reads))
        if state != "done":
            for read in reads:
                self._tell(read.document, state, result.failed or result.skipped)

    async def _make_requests(self, template: JSON, document: Mapping[str, JSON]) -> AsyncGenerator[JSON, None]:
        """Yield what the template becomes for a document, through the input chain."""
        asked = RequestTemplate(template, f"{self._where}.subscriber.parameters.request")
        scope = self._runtime.scope
        request = asked.resolve({**self._state, **document}, scope)
        self.origins = {
            format_key_path(origin.place): _describe_origin(origin) for origin in asked.origins if origin.place
        }
        for made in await self._asks(template, document, request):
            if made or made == request:
                self._note_changes(request, made)
                yield made

    async def _apply_input(self, _template: JSON, _document: Mapping[str, JSON], request: JSON) -> Sequence[JSON]:
        """Return what the input chain makes of a request, at once."""
        found = await apply(self._input, request, self._runtime.chained, Locks())
        if found.failed is not None:
            raise found.failed
        return found.documents

    def _note_changes(self, request: JSON, made: JSON) -> None:
        """Note which sections the input chain changed."""
        for name, value in made.items() if is_object(made) else ():
            if not is_object(request) or request.get(name) != value:
                kept = {place: why for place, why in self.origins.items() if not place.startswith(str(name))}
                self.origins = {**kept, str(name): "input chain"}


def _describe_origin(origin: Origin) -> str:
    if origin.kind == "constant":
        return "configuration"
    return f"variable: {origin.written}" if origin.kind == "variables" else f"template: {origin.written}"


class _Given:
    """Documents in place of a subscriber's."""

    def __init__(self, documents: AsyncGenerator[JSON, None]) -> None:
        self._documents = documents

    def documents(self, context: Context) -> AsyncGenerator[JSON, None]:  # noqa: ARG002  the protocol's signature
        return self._documents

    async def explain(self, context: Context) -> JSON:  # noqa: ARG002  the protocol's signature
        return None
