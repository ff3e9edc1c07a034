"""One call that may take effect, before it is made: whoever keeps a journal writes it down first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from connector.model import JSON, Effect, Outcome

if TYPE_CHECKING:
    from connector.http import Client
    from connector.request import Wire

__all__ = ["BLOCKED", "Begin", "Effort", "OnUnknown", "Perform", "Sent", "at_once", "through"]

OnUnknown = Literal["hold", "retry"]
BLOCKED = "blocked"
"""The action of an outcome that says: not tried, since something on this side is in the way of all calls like it."""
Begin = Callable[[], Awaitable[None]]
"""What is waited for when nothing stands between a call and its first byte any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A call of a client: the request, what it is on the wire, and how another request would be."""

    client: Client
    wire: Wire
    request: Mapping[str, JSON]
    prepare: Callable[[Mapping[str, JSON]], Wire]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """A call that is about to be made.

    Attributes:
        target: the client's name, or what else takes the call.
        operation: what is asked of it, in words.
        effect: what a repeat would do.
        content: what makes this call another one than its neighbours, beside what goes on the wire.
        make: makes it, as the effort is then, and with this in place of the effort's on_unknown.
        on_unknown: whether a costly call whose end nobody saw is sent again; the client's way unless given.
        sent: of a call that goes through a client.
    """

    target: str
    operation: str
    effect: Effect
    content: JSON = None
    make: Callable[[Effort, OnUnknown | None, Begin | None], Awaitable[Outcome]]
    on_unknown: OnUnknown | None = None
    sent: Sent | None = None

    def asking(self, request: Mapping[str, JSON]) -> Effort:
        """The same with another request; InvalidRequest when that must not be sent."""
        sent = self.sent
        return self if sent is None else replace(self, sent=replace(sent, request=request, wire=sent.prepare(request)))


Perform = Callable[[Effort], Awaitable[Outcome]]


def through(
    target: str,
    sent: Sent,
    *,
    to: str | None = None,
    on_unknown: OnUnknown | None = None,
    timeout: float | None = None,
) -> Effort:
    """The call of a client, whose answer's body may go to a file, and which may have a time-out of its own."""

    async def make(effort: Effort, on_unknown: OnUnknown | None, begin: Begin | None) -> Outcome:
        asked = effort.sent or sent
        return await asked.client.send(asked.wire, timeout=timeout, to=to, on_unknown=on_unknown, begin=begin)

    wire = sent.wire
    operation = wire.operation.name if wire.operation is not None else f"{wire.method} {wire.path}"
    effect = wire.effect
    return Effort(
        target=target, operation=operation, effect=effect, content=to, make=make, on_unknown=on_unknown, sent=sent
    )


async def at_once(effort: Effort) -> Outcome:
    """What a call came to that nobody writes down; none is made while its client is paused."""
    paused = effort.sent.client.paused if effort.sent is not None else None
    return paused.outcome() if paused else await effort.make(effort, effort.on_unknown, None)
