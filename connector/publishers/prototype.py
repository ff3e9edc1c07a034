"""What a kind of publisher declares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from connector.http.parameters import Section
from connector.model import JSON, Outcome
from connector.publishers.context import Context

__all__ = ["AtOnce", "Prototype", "Writes"]


class Writes(Protocol):
    """A publisher that knows its parameters; after the last document it is finished or abandoned."""

    async def publish(self, document: JSON, context: Context) -> Outcome:
        """What became of a document."""
        ...

    async def explain(self, document: JSON, context: Context) -> JSON:
        """What would be done with a document, and how; nothing is done."""
        ...

    async def finish(self) -> None:
        """Makes everything visible that waits to be complete."""
        ...

    async def abandon(self) -> list[str]:
        """Leaves what waits as it is; the names of what was kept although it is not complete."""
        ...


class AtOnce:
    """For publishers whose documents are out when they are published."""

    async def finish(self) -> None:
        """There is nothing left to do."""

    async def abandon(self) -> list[str]:
        """There is nothing that waits."""
        return []


@dataclass(frozen=True, slots=True)
class Prototype:
    """A kind of publisher.

    Args:
        name: how configurations call it.
        summary: what it does, in a sentence.
        parameters: what it wants to know.
        build: makes what writes with them.
        templates: the parameters whose placeholders are resolved for each document.
        calls: whether a document is a request, that a template of the outgoing connection may complete.
        performs: whether what may take effect goes through the context's `perform`.
    """

    name: str
    summary: str
    parameters: type[Section]
    build: Callable[[Any], Writes]
    templates: tuple[str, ...] = ()
    calls: bool = False
    performs: bool = False
