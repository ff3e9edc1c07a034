"""What a transport other than single calls takes, looked at before anything is read or sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from connector.config.rules.routes import TRANSPORT_PATHS
from connector.connections import Runtime
from connector.errors import ConfigurationError
from connector.model import JSON, is_object
from connector.publisher import Publisher

if TYPE_CHECKING:
    from connector.config import Configuration
    from connector.routes.delivering.declared import Declared

__all__ = ["Target", "shaped", "target_of", "transport_of"]

OPENAI, AZURE = "openai", "azure-openai"


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a transport calls, and the path of what it asks."""

    client: str
    path: str


def transport_of(configuration: Configuration, route: str) -> str:
    """How the requests of a configured route go out."""
    return configuration.outgoing[configuration.routes[route].outgoing].transport


def target_of(runtime: Runtime, declared: Declared) -> Target:
    """Whom a route's transport calls; ConfigurationError when it cannot take what the route sends."""
    transport = declared.outgoing.transport
    where = f"outgoing.{declared.settings.outgoing}: transport: {transport}"
    kind, parameters = declared.writer.kind.name, declared.writer.parameters
    if kind != OPENAI:
        raise ConfigurationError(f"{where} takes a publisher of kind {OPENAI!r}, and this one is of kind {kind!r}")
    name: str = getattr(parameters, "client", "")
    client = runtime.client(name)
    operation = Publisher(client, getattr(parameters, "entity", ""), getattr(parameters, "action", None)).operation
    path = operation.template
    if operation.method != "POST" or path not in TRANSPORT_PATHS[transport]:
        paths = ", ".join(TRANSPORT_PATHS[transport])
        raise ConfigurationError(f"{where} takes POST {paths}; the publisher calls {operation.method} {path}")
    if transport != "flex" and getattr(parameters, "to", None) is not None:
        raise ConfigurationError(f"{where} has no answers that could go to a file; leave `to` out, or use `answer`")
    if transport == "batch":
        _check_batch(declared, client.prototype.name, where)
    return Target(name, path)


def shaped(request: JSON, transport: str, attempt: int, falls_back: int | None) -> JSON:
    """The request as its transport wants it; what a document says itself stands.

    Args:
        attempt: which attempt of its task it is, from 1.
        falls_back: of flex, after how many attempts it goes at the usual tier.
    """
    payload = request.get("payload") if is_object(request) else None
    if not is_object(request) or not is_object(payload):
        return request
    if transport == "background":
        return {**request, "payload": {**payload, "background": True}}
    if transport == "flex":
        tier = "default" if falls_back is not None and attempt > falls_back else "flex"
        return {**request, "payload": {"service_tier": tier, **payload}}
    return request


def _check_batch(declared: Declared, prototype: str, where: str) -> None:
    if prototype == AZURE:
        raise ConfigurationError(f"{where} is for clients of OpenAI's own form, not {AZURE}; use transport: single")
    if declared.chain.gather is not None:
        raise ConfigurationError(
            f"{where} gathers requests itself, and so does an aggregate in the chain of route {declared.route!r};"
            " gather in the chain of a route whose answers this one reads, or use transport: single"
        )
