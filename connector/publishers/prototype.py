"""A kind of publisher: what it declares, what it is given, and what it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from connector.kinds import Kind, KindContext
from connector.model import JSONValue, Outcome
from connector.publishers.intent import OnUnknown, Perform, perform_now
from connector.request.file_access import NOTHING, Reserved
from connector.transform.context import Context as ChainContext
from connector.transform.context import Scope

__all__ = ["Context", "DocumentWriter", "ImmediateWriter", "Prototype"]


@dataclass(frozen=True, slots=True)
class Context(KindContext):
    """What a publisher is given beside its parameters.

    Args:
        folder: where relative file names start.
        client: returns the client of a name.
        call: makes one call through a named client.
        perform: makes a call that may take effect, and records it first where a journal is kept.
        chained: what placeholders in parameters may name.
        validate: how strictly requests are checked; the client's setting unless given.
        on_unknown: whether a costly call with an unknown end is sent again; the client's setting unless given.
        timeout: seconds for a whole call; the client's unless given.
        reserved: files of the connector's own, which are never written to.
    """

    perform: Perform = perform_now
    chained: ChainContext = field(default_factory=ChainContext)
    validate: str | None = None
    on_unknown: OnUnknown | None = None
    timeout: float | None = None
    reserved: Reserved = NOTHING

    def within(self, chained: ChainContext, perform: Perform) -> Context:
        """Return the context of one attempt; written out, since every task makes one."""
        return Context(
            folder=self.folder,
            client=self.client,
            call=chained.call,
            perform=perform,
            chained=chained,
            validate=self.validate,
            on_unknown=self.on_unknown,
            timeout=self.timeout,
            reserved=self.reserved,
        )

    @property
    def scope(self) -> Scope:
        """The scope in which templates are resolved."""
        return Scope(self.chained)


class DocumentWriter(Protocol):
    """A publisher with its parameters; after the last document it is finished or abandoned."""

    async def publish(self, document: JSONValue, context: Context) -> Outcome:
        """Write a document and return what became of it."""
        ...

    async def explain(self, document: JSONValue, context: Context) -> JSONValue:
        """Return what would be done with a document, and how; nothing is done."""
        ...

    async def finish(self) -> None:
        """Complete what is not complete yet, and make it visible."""
        ...

    async def abandon(self) -> list[str]:
        """Leave what is not complete as it is; return the names of what is kept of it."""
        ...


class ImmediateWriter:
    """A base for writers whose documents are complete as soon as they are published."""

    async def finish(self) -> None:
        """Do nothing."""

    async def abandon(self) -> list[str]:
        """Return nothing."""
        return []


@dataclass(frozen=True, slots=True)
class Prototype(Kind):
    """A kind of publisher.

    Args:
        name: how configurations call it.
        summary: what it does, in a sentence.
        parameters: the model of its parameters.
        build: makes a writer from the parameters.
        templates: the parameters whose placeholders are resolved for each document.
        calls: whether a document is a request, which a template of the outgoing connection may complete.
        performs: whether calls that may take effect go through the context's `perform`.
    """

    build: Callable[..., DocumentWriter]
    templates: tuple[str, ...] = ()
    calls: bool = False
    performs: bool = False
