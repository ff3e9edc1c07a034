"""Tools as routes that nothing is read for: an outgoing connection, or one operation, whose documents a host sends."""

from __future__ import annotations

from connector.catalogue.operation import Operation
from connector.config.models import Component, Outgoing, Route
from connector.delivery.answers import Responses
from connector.delivery.attempt import RouteContext
from connector.delivery.context import DeliveryContext
from connector.delivery.route_spec import RouteSpec
from connector.delivery.transports import target_of
from connector.errors import ConfigurationError
from connector.pipeline.chains import SplitChain
from connector.pipeline.spec import OutgoingSpec, Writer
from connector.transform import Chain
from connector.transform.context import Locks

__all__ = ["operation_route", "outgoing_route"]

RETRY_DELAY, MAX_DELAY = 1.0, 30.0
"""Seconds before another attempt: somebody waits for the answer."""


def outgoing_route(
    shared: DeliveryContext, name: str, outgoing: str, attempts: int, *, delay: float = RETRY_DELAY
) -> RouteContext:
    """Return the route of a tool that is an outgoing connection; ConfigurationError when it cannot be one.

    Args:
        name: the route's own, under which its tasks are found.
        outgoing: the connection.
        attempts: attempts at a call that may be repeated.
        delay: seconds before the second attempt; what a server asks for is waited for in any case.
    """
    base = OutgoingSpec.of(shared.runtime, outgoing)
    if base.chain.gather is not None:
        raise ConfigurationError(f"outgoing {outgoing!r} gathers documents, so no single call has an answer of its own")
    return _make(shared, base, name, attempts, delay)


def operation_route(
    shared: DeliveryContext,
    name: str,
    client: str,
    operation: Operation,
    attempts: int,
    *,
    delay: float = RETRY_DELAY,
) -> RouteContext:
    """Return the route of a tool that is one operation; its documents are requests."""
    parameters = {"client": client, "entity": operation.entity, "action": operation.action}
    publisher = Component.model_validate({"prototype": "openai", "parameters": parameters})
    nothing = SplitChain(Chain(()), None, Chain(()))
    writer = Writer(shared.runtime, publisher, name)
    spec = OutgoingSpec(outgoing=Outgoing(publisher=publisher), chain=nothing, request=None, writer=writer)
    return _make(shared, spec, name, attempts, delay)


def _make(shared: DeliveryContext, base: OutgoingSpec, name: str, attempts: int, delay: float) -> RouteContext:
    settings = Route(incoming="", outgoing=name, attempts=attempts, retry_delay=delay, max_delay=MAX_DELAY)
    spec = RouteSpec(
        name=name,
        route=name,
        settings=settings,
        outgoing=base.outgoing,
        chain=base.chain,
        request=base.request,
        writer=base.writer,
        answer=base.answer,
        error=base.error,
    )
    target = target_of(shared.runtime, spec) if spec.outgoing.transport != "single" else None
    return RouteContext(
        shared=shared,
        spec=spec,
        responses=Responses(shared.runtime, spec, shared.redact),
        context=spec.context(shared.runtime),
        locks=Locks(),
        target=target,
        window=spec.window,
    )
