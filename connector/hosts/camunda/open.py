"""Make the worker of a configuration: its cluster, its engine, and what jobs may ask for."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from connector.calls.upkeep import open_calls
from connector.engine import open_store
from connector.errors import ConfigurationError
from connector.hosts.camunda.broker import Broker
from connector.hosts.camunda.keys import BROKER
from connector.hosts.camunda.requests import PREFIX, Requests
from connector.hosts.camunda.worker import Worker

if TYPE_CHECKING:
    from connector.catalogue import Catalogue
    from connector.config import Configuration
    from connector.pipeline import Runtime

__all__ = ["find_broker", "open_worker"]


def find_broker(configuration: Configuration) -> str:
    """Return the name of the client that reaches the cluster; ConfigurationError where it is not clear."""
    named = configuration.camunda.broker
    found = [name for name, client in configuration.clients.items() if client.prototype == BROKER]
    if named is not None:
        if named not in found:
            raise ConfigurationError(f"camunda.broker: {named!r} is no client of the prototype `{BROKER}`")
        return named
    if len(found) != 1:
        what = "no client has" if not found else f"{', '.join(found)} have"
        advice = f"declare one: `clients: {{cluster: {{prototype: {BROKER}, parameters: {{base_uri: …}}}}}}`"
        raise ConfigurationError(f"camunda.broker: {what} the prototype `{BROKER}`; {'name one' if found else advice}")
    return found[0]


@asynccontextmanager
async def open_worker(runtime: Runtime, catalogue: Catalogue, say: Callable[[str], None]) -> AsyncGenerator[Worker]:
    """Open the engine, and make the worker over it."""
    configuration = runtime.configuration
    owner = find_broker(configuration)
    broker = Broker(runtime.client(owner), configuration.camunda)
    store = await open_store(configuration.camunda_engine_url)
    try:
        async with open_calls(runtime, store, PREFIX, wait=configuration.camunda.wait) as calls:
            requests = Requests(calls.shared, catalogue)
            yield Worker(broker, calls, requests, owner, say)
    finally:
        await store.close()
