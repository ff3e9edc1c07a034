"""Which routes run, and what starts the reading of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from connector.errors import ConfigurationError
from connector.model import JSON
from connector.runtime.scheduler import Recurrence, Schedule

if TYPE_CHECKING:
    from connector.config import Configuration
    from connector.config.models import Job

__all__ = ["Plan", "source_of"]

ROUTE = "route"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run does.

    Attributes:
        routes: those that run.
        on_start: those whose reading begins at once; also those that nothing else starts.
        schedules: schedules with times, and the routes of them that run.
        after: by a route, those whose reading begins when its run has ended.
        reads: whether anything is read; else only what is there is delivered.
    """

    routes: Sequence[str]
    on_start: Sequence[str]
    schedules: Sequence[Schedule]
    after: Mapping[str, Sequence[str]]
    reads: bool = True

    @classmethod
    def of(cls, configuration: Configuration, names: Sequence[str] = ()) -> Plan:
        """Return the plan for these routes, or for all that are not disabled."""
        routes = _select_routes(configuration, names)
        scheduled: set[str] = set()
        on_start: list[str] = []
        schedules: list[Schedule] = []
        after: dict[str, list[str]] = {}
        for name, schedule in configuration.schedules.items():
            started = [] if schedule.disabled else _find_started(configuration, schedule.run, routes)
            if not started:
                continue
            scheduled.update(started)
            on_start += started if schedule.on_start else []
            if schedule.every is not None:
                schedules.append(Schedule(name, Recurrence(schedule.every, schedule.timezone), started))
            for route in schedule.after:
                after.setdefault(route, []).extend(started)
        reads = [route for route in routes if source_of(configuration, route) is None]
        on_start += [route for route in reads if route not in scheduled]
        return cls(routes=routes, on_start=list(dict.fromkeys(on_start)), schedules=schedules, after=after)

    def read_first(self, configuration: Configuration, *, once: bool) -> list[str]:
        """Return the routes that are read as soon as the run begins."""
        if not self.reads:
            return []
        reads = [route for route in self.routes if source_of(configuration, route) is None]
        if not once:
            return [route for route in reads if route in self.on_start]
        later = {route for before in self.routes for route in self.after.get(before, ())}
        return [route for route in reads if route not in later]


def source_of(configuration: Configuration, route: str) -> str | None:
    """Return the route whose answers this one reads; None when it reads something else."""
    incoming = configuration.incoming[configuration.routes[route].incoming]
    found: JSON = incoming.subscriber.parameters.get("route") if incoming.subscriber.prototype == ROUTE else None
    return str(found) if found is not None else None


def _select_routes(configuration: Configuration, names: Sequence[str]) -> list[str]:
    found: dict[str, Any] = {name: configuration.find("routes", name) for name in names or configuration.routes}
    disabled = [name for name, route in found.items() if route.disabled]
    if names and disabled:
        raise ConfigurationError(f"route {disabled[0]!r} is disabled")
    routes = [name for name, route in found.items() if not route.disabled]
    if not routes:
        raise ConfigurationError("there is no route to run; declare one under routes:, {incoming: …, outgoing: …}")
    return routes


def _find_started(configuration: Configuration, jobs: Sequence[Job], routes: Sequence[str]) -> list[str]:
    """Return the routes that jobs start; an incoming connection stands for all routes that read it."""
    found: list[str] = []
    for job in jobs:
        route = job.route or (job.name if job.name in configuration.routes else None)
        if route is not None:
            found.append(route)
        else:
            incoming = job.incoming or job.name
            found += [name for name in routes if configuration.routes[name].incoming == incoming]
    return [name for name in dict.fromkeys(found) if name in routes]
