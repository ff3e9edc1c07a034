"""The counters of a run as a page for Prometheus: made when it is read, so that a task costs nothing more."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

from connector.errors import ConfigurationError
from connector.telemetry.observer import Metrics

if TYPE_CHECKING:
    from aiohttp import web

__all__ = ["BudgetLevel", "Counts", "render_metrics", "serve_metrics"]

Counts = Mapping[str, Mapping[str, int]]
"""How many tasks are in which state, by route."""
BUDGETS = {
    "limit": "What a route may use in this period.",
    "spent": "What it has used.",
    "reserved": "What its calls under way, and those without a known end, may use.",
}
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class BudgetLevel(NamedTuple):
    """How the budget of a route stands, in one unit: `money` or `tokens`."""

    route: str
    unit: str
    limit: float
    spent: float
    reserved: float


def render_metrics(
    metrics: Metrics, counts: Counts, stalled: Iterable[str], budgets: Sequence[BudgetLevel] = ()
) -> bytes:
    """Return the page.

    Args:
        metrics: the counters of this process.
        counts: the tasks that are kept, which all processes share.
        stalled: the routes whose tasks do not go on.
        budgets: of routes, which all processes share.
    """
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
    from prometheus_client.registry import Collector

    families: list[Metric] = []
    for counter in metrics.counters:
        family = CounterMetricFamily(counter.name, counter.description, labels=counter.labels)
        for labels, value in sorted(counter.values.items()):
            family.add_metric(labels, value)
        families.append(family)
    tasks = GaugeMetricFamily("connector_tasks", "Tasks that are kept, by their state.", labels=("route", "state"))
    for route, states in sorted(counts.items()):
        for state, number in sorted(states.items()):
            tasks.add_metric((route, state), number)
    stalls = GaugeMetricFamily("connector_stalled", "1 for a route whose tasks do not go on.", labels=("route",))
    still = frozenset(stalled)
    for route in sorted({*counts} | still):
        stalls.add_metric((route,), float(route in still))
    levels = [GaugeMetricFamily(f"connector_budget_{name}", text, labels=("route", "unit"))
              for name, text in BUDGETS.items()]  # fmt: skip
    for level in budgets:
        for gauge, value in zip(levels, (level.limit, level.spent, level.reserved), strict=True):
            gauge.add_metric((level.route, level.unit), value)

    class Families(Collector):
        def collect(self) -> Iterable[Metric]:
            return [*families, tasks, stalls, *levels]

    registry = CollectorRegistry()
    registry.register(Families())
    return generate_latest(registry)


@asynccontextmanager
async def serve_metrics(
    address: str | None, offset: int, render: Callable[[], Awaitable[bytes]]
) -> AsyncGenerator[str]:
    """Serve the page at /metrics while the context lasts, and yield its address; nothing without an address.

    Args:
        address: host and port.
        offset: is added to the port: which of several processes this is.
        render: makes the page.
    """
    if address is None:
        yield ""
        return
    from aiohttp import web

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=await render(), headers={"Content-Type": CONTENT_TYPE})

    application = web.Application()
    application.router.add_get("/metrics", answer)
    runner = web.AppRunner(application, access_log=None, handle_signals=False)
    await runner.setup()
    host, _, port = address.rpartition(":")
    try:
        site = web.TCPSite(runner, host.strip("[]"), int(port) + offset if int(port) else 0)
        try:
            await site.start()
        except OSError as error:
            raise ConfigurationError(
                f"telemetry.prometheus: {host}:{int(port) + offset} cannot be listened at: {error.strerror or error}; "
                "name another address, or leave it out"
            ) from None
        yield f"http://{host}:{runner.addresses[0][1]}/metrics"
    finally:
        await runner.cleanup()
