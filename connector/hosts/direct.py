"""Calls that are made at once: they may be repeated freely, so nobody has to remember them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from connector.publishers import CallIntent, ClientCall, client_intent, perform_now

if TYPE_CHECKING:
    from connector.catalogue.operation import Operation
    from connector.model import JSON, Outcome
    from connector.pipeline import Runtime

__all__ = ["Guard", "call_now"]

Guard = Callable[[CallIntent], CallIntent]


async def call_now(
    runtime: Runtime, client: str, operation: Operation, request: dict[str, JSON], guard: Guard | None = None
) -> Outcome:
    """Return the outcome of one operation.

    Args:
        client: the name of the client that calls.
        guard: returns the call as it may be made for whoever asks; as it is unless given.
    """
    opened = runtime.client(client)
    wire = opened.prepare(operation, request)
    call = ClientCall(client=opened, wire=wire, request=request, prepare=partial(opened.prepare, operation))
    intent = client_intent(client, call)
    return await perform_now(guard(intent) if guard is not None else intent)
