"""Which routes run, and what starts their readings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from connector.errors import ConfigurationError
from connector.model import JSON
from connector.runtime.schedule import Times
from connector.runtime.timetable import Timed

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
        timed: schedules with times, and the routes of them that run.
        after: by a route, those whose reading begins when its run has ended.
        reads: whether anything is read; else what is there is delivered.
    """

    routes: Sequence[str]
    on_start: Sequence[str]
    timed: Sequence[Timed]
    after: Mapping[str, Sequence[str]]
    reads: bool = True

    @classmethod
    def of(cls, configuration: Configuration, names: Sequence[str] = ()) -> Plan:
        """The plan for these routes, or for all that are not disabled."""
        routes = _routes(configuration, names)
        scheduled: set[str] = set()
        on_start: list[str] = []
        timed: list[Timed] = []
        after: dict[str, list[str]] = {}
        for name, schedule in configuration.schedules.items():
            started = [] if schedule.disabled else _started(configuration, schedule.run, routes)
            if not started:
                continue
            scheduled.update(started)
            on_start += started if schedule.on_start else []
            if schedule.every is not None:
                timed.append(Timed(name, Times(schedule.every, schedule.timezone), started))
            for route in schedule.after:
                after.setdefault(route, []).extend(started)
        reads = [route for route in routes if source_of(configuration, route) is None]
        on_start += [route for route in reads if route not in scheduled]
        return cls(routes=routes, on_start=list(dict.fromkeys(on_start)), timed=timed, after=after)


def source_of(configuration: Configuration, route: str) -> str | None:
    """The route whose answers this one reads; None when it reads something else."""
    incoming = configuration.incoming[configuration.routes[route].incoming]
    found: JSON = incoming.subscriber.parameters.get("route") if incoming.subscriber.prototype == ROUTE else None
    return str(found) if found is not None else None


def _routes(configuration: Configuration, names: Sequence[str]) -> list[str]:
    found: dict[str, Any] = {name: configuration.find("routes", name) for name in names or configuration.routes}
    disabled = [name for name, route in found.items() if route.disabled]
    if names and disabled:
        raise ConfigurationError(f"route {disabled[0]!r} is disabled")
    routes = [name for name, route in found.items() if not route.disabled]
    if not routes:
        raise ConfigurationError("there is no route to run; declare one under routes:, {incoming: …, outgoing: …}")
    return routes


def _started(configuration: Configuration, jobs: Sequence[Job], routes: Sequence[str]) -> list[str]:
    """The routes that jobs start; an incoming connection stands for all routes that read it."""
    found: list[str] = []
    for job in jobs:
        route = job.route or (job.name if job.name in configuration.routes else None)
        if route is not None:
            found.append(route)
        else:
            incoming = job.incoming or job.name
            found += [name for name in routes if configuration.routes[name].incoming == incoming]
    return [name for name in dict.fromkeys(found) if name in routes]
