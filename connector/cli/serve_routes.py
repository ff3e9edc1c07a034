"""`serve --routes`: the routes run in the gateway's process, which receives the webhooks that some of them read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connector.cli.output import say

if TYPE_CHECKING:
    from connector.connections import Runtime
    from connector.routes.reading.receiving import Receiver
    from connector.runtime.runner import Runner

__all__ = ["Routes", "routes_of", "warn_of_webhooks"]

SQLITE = "sqlite:"


@dataclass(frozen=True)
class Routes:
    """Routes at work."""

    runner: Runner
    receivers: Mapping[str, Receiver]

    async def beside(self, serving: Awaitable[bool]) -> bool:
        """Runs until serving ends, or until the routes cannot go on; whether all came to its end."""
        running, served = asyncio.ensure_future(self.runner.run()), asyncio.ensure_future(serving)
        try:
            await asyncio.wait((running, served), return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                await running  # what broke them is told
            self.runner.stop("with the gateway")
            whole = await served
            await running
            return whole
        finally:
            for task in (running, served):
                task.cancel()
            await asyncio.gather(running, served, return_exceptions=True)


@asynccontextmanager
async def routes_of(runtime: Runtime) -> AsyncGenerator[Routes]:
    """All routes of a configuration on its store, which is closed at the end."""
    from connector.engine import open_store
    from connector.runtime.moving import check_engine
    from connector.runtime.naming import check_routes
    from connector.runtime.plan import Plan
    from connector.runtime.runner import Runner
    from connector.telemetry.costs import Prices
    from connector.telemetry.observer import Observer

    configuration = runtime.configuration
    plan = Plan.of(configuration, ())
    store = await open_store(configuration.engine_url)
    observer = Observer.from_settings(
        configuration.telemetry, Prices(configuration.prices, configuration.currency), runtime.redact
    )
    try:
        await check_engine(store, configuration, plan.routes)
        await check_routes(store, configuration, plan.routes)
        fleet = not configuration.engine_url.startswith(SQLITE)
        runner = Runner(runtime, store, plan, observer=observer, fleet=fleet, grace=configuration.gateway.grace)
        yield Routes(runner, runner.receivers())
    finally:
        observer.close()
        await store.close()


def warn_of_webhooks(runtime: Runtime) -> None:
    """Says that webhooks are not received without the routes that read them."""
    for name, incoming in runtime.configuration.incoming.items():
        if incoming.subscriber.prototype == "webhook" and not incoming.disabled:
            say(f"incoming.{name} receives nothing: webhooks are received by serve --routes")
