"""What a subscriber is given beside its parameters."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from connector.errors import ConfigurationError
from connector.model import JSON, Outcome

if TYPE_CHECKING:
    from connector.http import Client

__all__ = ["Bookmark", "Context", "Lost"]


@dataclass(frozen=True, slots=True)
class Lost:
    """A document that could not be read, and why."""

    document: JSON
    """What is known of it; the text of a line that is no document stands under `$text`."""
    reason: str


@dataclass(frozen=True, slots=True)
class Bookmark:
    """Where a reading stands: all documents of one part that came before are covered by a place.

    Attributes:
        part: what is read there, such as a file, or the pages that a request has.
        place: where the part goes on.
        count: how many documents of the part lie before, those that were lost among them.
        lasting: whether later readings go on there too, and not only this one when it was broken off.
    """

    part: str
    place: JSON = None
    count: int = 0
    lasting: bool = False


async def _as_written(template: JSON, _: Mapping[str, JSON]) -> AsyncGenerator[JSON, None]:
    yield template


def _no_client(name: str) -> Client:
    raise ConfigurationError(f"there is no client {name!r} here")


async def _no_call(client: str, kind: Literal["openai", "http"], request: Mapping[str, JSON]) -> Outcome:
    raise ConfigurationError(f"there is no client {client!r} here ({kind}, {list(request)})")


def _unmarked(part: str) -> Bookmark:
    return Bookmark(part)


def _unheard(mark: Bookmark) -> None:
    """Whoever does not ask is not told."""


def _stop(lost: Lost) -> None:
    raise ConfigurationError(lost.reason)


@dataclass(frozen=True, slots=True)
class Context:
    """What subscribers share.

    Args:
        folder: where relative file names start.
        client: the client of a name.
        call: one call through a named client.
        requests: what a request's template becomes for a document, after the incoming's `input` chain: no request
            when there is nothing to read, several when the chain made several.
        lost: told of each document that cannot be read; without it the reading stops there.
        marked: where an earlier reading of a part stood.
        mark: told, between two documents, where the reading stands; what comes next belongs to that part.
        comes_back: whether it is read again later, so that what is not complete yet can wait until then.
    """

    folder: Path = field(default_factory=Path.cwd)
    client: Callable[[str], Client] = _no_client
    call: Callable[[str, Literal["openai", "http"], Mapping[str, JSON]], Awaitable[Outcome]] = _no_call
    requests: Callable[[JSON, Mapping[str, JSON]], AsyncGenerator[JSON, None]] = _as_written
    lost: Callable[[Lost], None] = _stop
    marked: Callable[[str], Bookmark] = _unmarked
    mark: Callable[[Bookmark], None] = _unheard
    comes_back: bool = False
