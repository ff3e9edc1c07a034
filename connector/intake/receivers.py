"""What receives documents that are sent: a receiver for each incoming connection of such a kind, by its path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from connector.delivery.context import DeliveryContext
from connector.errors import ConfigurationError
from connector.intake.arrivals import Received
from connector.intake.http_receiver import HttpReceiver
from connector.intake.webhooks import WebhookReceiver
from connector.subscribers.http_receiver import HTTP_RECEIVER
from connector.subscribers.received_kinds import RECEIVING

if TYPE_CHECKING:
    from connector.config import Configuration

__all__ = ["Receiver", "receivers", "receives"]


class Receiver(Protocol):
    """Receives what is sent to one path."""

    path: str
    most: int
    """The most bytes of a request."""

    async def __call__(self, headers: Mapping[str, str], body: bytes) -> Received:
        """Return the answer; success means that everything is on disk. The names of headers are in lower case."""
        ...


def receives(configuration: Configuration, route: str) -> bool:
    """Return whether a configured route reads what is sent."""
    incoming = configuration.incoming[configuration.routes[route].incoming]
    return incoming.subscriber.prototype in RECEIVING and not incoming.disabled


def receivers(shared: DeliveryContext, routes: Sequence[str]) -> dict[str, Receiver]:
    """Return what receives documents for routes, by the path that they are sent to."""
    found: dict[str, Receiver] = {}
    configuration, readers_of = shared.runtime.configuration, dict[str, list[str]]()
    for route in (route for route in routes if receives(configuration, route)):
        readers_of.setdefault(configuration.routes[route].incoming, []).append(route)
    for name, readers in readers_of.items():
        is_http = configuration.incoming[name].subscriber.prototype == HTTP_RECEIVER.name
        receiver = (HttpReceiver if is_http else WebhookReceiver)(shared, name, readers)
        if receiver.path in found:
            raise ConfigurationError(f"incoming.{name}: {receiver.path} is another one's path already; choose another")
        found[receiver.path] = receiver
    return found
