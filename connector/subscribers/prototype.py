"""A kind of subscriber: what it declares, what it is given, and what it does."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from connector.errors import ConfigurationError
from connector.formats import UnreadableDocument
from connector.kinds import Kind, KindContext
from connector.model import JSONValue

__all__ = ["Bookmark", "Context", "DocumentReader", "Prototype", "ReceivingReader"]


@dataclass(frozen=True, slots=True)
class Bookmark:
    """How far a part of a source has been read: all earlier documents of the part are covered.

    Attributes:
        part: what is read, such as a file, or the pages that a request has.
        place: where to read on.
        count: how many documents of the part lie before, unreadable ones included.
        lasting: whether later readings start there too, and not only the one that follows an interrupted reading.
    """

    part: str
    place: JSONValue = None
    count: int = 0
    lasting: bool = False


async def _keep_template(template: JSONValue, _: Mapping[str, JSONValue]) -> AsyncGenerator[JSONValue, None]:
    yield template


def _no_bookmark(part: str) -> Bookmark:
    return Bookmark(part)


def _ignore_bookmark(bookmark: Bookmark) -> None:
    """Do nothing."""


def _stop(unreadable: UnreadableDocument) -> None:
    raise ConfigurationError(unreadable.reason)


@dataclass(frozen=True, slots=True)
class Context(KindContext):
    """What a subscriber is given beside its parameters.

    Args:
        folder: where relative file names start.
        client: returns the client of a name.
        call: makes one call through a named client.
        requests: yields the requests that a template becomes for a document, after the `input` chain of the incoming
            connection: none when there is nothing to read, several when the chain made several.
        on_unreadable: takes each document that cannot be read; without it the reading stops there.
        find_bookmark: returns how far an earlier reading of a part came.
        on_bookmark: takes, between two documents, how far the reading is; the documents that follow belong to that
            part.
        is_repeated: whether the source is read again later, so that an incomplete end can wait until then.
    """

    requests: Callable[[JSONValue, Mapping[str, JSONValue]], AsyncGenerator[JSONValue, None]] = _keep_template
    on_unreadable: Callable[[UnreadableDocument], None] = _stop
    find_bookmark: Callable[[str], Bookmark] = _no_bookmark
    on_bookmark: Callable[[Bookmark], None] = _ignore_bookmark
    is_repeated: bool = False


class DocumentReader(Protocol):
    """A subscriber with its parameters."""

    def documents(self, context: Context) -> AsyncGenerator[JSONValue, None]:
        """Yield every document; unreadable ones go to `context.on_unreadable`, and the others follow."""
        ...

    async def explain(self, context: Context) -> JSONValue:
        """Return what would be read first, and how; nothing is read."""
        ...


class ReceivingReader:
    """A base for readers whose documents arrive by themselves, so that nothing is read."""

    async def documents(self, context: Context) -> AsyncGenerator[JSONValue, None]:  # noqa: ARG002  the protocol's signature
        """Yield nothing."""
        return
        yield


@dataclass(frozen=True, slots=True)
class Prototype(Kind):
    """A kind of subscriber.

    Args:
        name: how configurations call it.
        summary: what it does, in a sentence.
        parameters: the model of its parameters.
        build: makes a reader from the parameters.
        templates: the parameters whose placeholders are resolved for each request.
    """

    build: Callable[..., DocumentReader]
    templates: tuple[str, ...] = ()
