"""A call that may take effect, described before it is made, so that a journal can record it first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from connector.model import JSON, Effect, Outcome

if TYPE_CHECKING:
    from connector.http import Client
    from connector.request import Wire

__all__ = ["BLOCKED", "Begin", "CallIntent", "ClientCall", "OnUnknown", "Perform", "client_intent", "perform_now"]

OnUnknown = Literal["hold", "retry"]
BLOCKED = "blocked"
"""The action of an outcome that was not tried, because a fault on this side blocks all calls like it."""
Begin = Callable[[], Awaitable[None]]
"""Awaited directly before the first byte of a call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCall:
    """A request to send through a client, its wire form, and a way to prepare another request for the same call."""

    client: Client
    wire: Wire
    request: Mapping[str, JSON]
    prepare: Callable[[Mapping[str, JSON]], Wire]

    @property
    def payload(self) -> JSON:
        """What is sent: that of another operation in place of one that was removed."""
        replaced = self.wire.replaced
        return self.request.get("payload") if replaced is None else replaced.request.payload


@dataclass(frozen=True, slots=True, kw_only=True)
class CallIntent:
    """A call that is about to be made.

    Attributes:
        target: the client's name, or what else takes the call.
        operation: the operation's name, or the method and path.
        effect: what a repeat would do.
        content: what tells this call from its neighbours, beside its wire form.
        make: makes the call of the given intent; the given on_unknown replaces the intent's own.
        on_unknown: whether a costly call with an unknown end is sent again; the client's setting unless given.
        call: the client's part of it, for a call that goes through a client.
    """

    target: str
    operation: str
    effect: Effect
    content: JSON = None
    make: Callable[[CallIntent, OnUnknown | None, Begin | None], Awaitable[Outcome]]
    on_unknown: OnUnknown | None = None
    call: ClientCall | None = None

    def with_request(self, request: Mapping[str, JSON]) -> CallIntent:
        """Return the same intent with another request; raise InvalidRequest when that must not be sent."""
        call = self.call
        return self if call is None else replace(self, call=replace(call, request=request, wire=call.prepare(request)))


Perform = Callable[[CallIntent], Awaitable[Outcome]]


def client_intent(
    target: str,
    call: ClientCall,
    *,
    to: str | None = None,
    on_unknown: OnUnknown | None = None,
    timeout: float | None = None,
) -> CallIntent:
    """Return the intent of a client's call.

    Args:
        target: the client's name.
        call: the request and its wire form.
        to: a file for the body of the answer.
        on_unknown: whether the call is sent again when its end is unknown.
        timeout: seconds for the whole call; the client's unless given.
    """

    async def make(intent: CallIntent, on_unknown: OnUnknown | None, begin: Begin | None) -> Outcome:
        made = intent.call or call
        return await made.client.send(made.wire, timeout=timeout, to=to, on_unknown=on_unknown, begin=begin)

    wire = call.wire
    return CallIntent(
        target=target,
        operation=wire.operation.name if wire.operation is not None else f"{wire.method} {wire.path}",
        effect=wire.effect,
        content=to,
        make=make,
        on_unknown=on_unknown,
        call=call,
    )


async def perform_now(intent: CallIntent) -> Outcome:
    """Make a call without a journal; a paused client answers with its pause."""
    paused = intent.call.client.paused if intent.call is not None else None
    return paused.outcome() if paused else await intent.make(intent, intent.on_unknown, None)
