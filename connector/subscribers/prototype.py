"""What a kind of subscriber declares."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from connector.http.parameters import Section
from connector.model import JSON
from connector.subscribers.context import Context

__all__ = ["Prototype", "Reads"]


class Reads(Protocol):
    """A subscriber that knows its parameters."""

    def documents(self, context: Context) -> AsyncGenerator[JSON, None]:
        """Every document there is; those that cannot be read are told to the context, and the others come."""
        ...

    async def explain(self, context: Context) -> JSON:
        """What would be read first, and how; nothing is read."""
        ...


@dataclass(frozen=True, slots=True)
class Prototype:
    """A kind of subscriber: its name, its parameters, what reads with them, and which parameters are templates."""

    name: str
    summary: str
    parameters: type[Section]
    build: Callable[[Any], Reads]
    templates: tuple[str, ...] = ()
