"""What goes on the wire for one call: resolved, encoded and checked, before a client adds address and credentials."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from connector.catalogue.operation import Operation
from connector.model import Effect, Fault, Request
from connector.request.successors import AnswerForm

__all__ = ["Body", "BytesBody", "Replaced", "Wire"]


class Body(Protocol):
    """Bytes that can be sent as often as a retry needs them."""

    @property
    def content_type(self) -> str: ...

    @property
    def length(self) -> int | None:
        """The number of bytes when it is known before sending."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """Return a fresh pass over the bytes; raises when a file is no longer what was checked."""
        ...


@dataclass(frozen=True, slots=True)
class BytesBody:
    """A body that is small enough to stand in memory."""

    content_type: str
    data: bytes

    @property
    def length(self) -> int:
        return len(self.data)

    async def chunks(self) -> AsyncIterator[bytes]:
        yield self.data


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """One call, ready for a client."""

    method: str
    path: str
    """Encoded, with a leading slash, relative to the client's base URI."""
    query: tuple[tuple[str, str], ...] = ()
    """Decoded pairs in sending order."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Content type, accept, beta and the caller's own; never credentials."""
    body: Body | None = None
    operation: Operation | None = None
    """None for a raw request that no operation of the catalogue matches."""
    effect: Effect = Effect.OPAQUE
    answer: str = "json"
    """The kind of answer that is due: json, events, binary, text or empty."""
    warnings: tuple[Fault, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict[str, str])
    """Where values came from that neither the request nor the catalogue gave: `payload.stream` → what gave it."""
    replaced: Replaced | None = None
    """The call of a removed operation that this one takes the place of."""

    @property
    def target(self) -> str:
        """The path with its query, percent-encoded."""
        from urllib.parse import quote

        pairs = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in self.query)
        return f"{self.path}?{pairs}" if pairs else self.path


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """A call of a removed operation, which another call takes the place of."""

    wire: Wire
    request: Request
    """What is asked of the successor."""
    answer: AnswerForm
    """Gives the successor's answers the old shape."""
