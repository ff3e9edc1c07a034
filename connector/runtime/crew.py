"""The workers of a run: one for each route, and one for each route that it implies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from connector.engine import Change
from connector.http.tries import Pause
from connector.routes.delivering.declared import BATCH, implied, parent_of, reads
from connector.routes.delivering.delivery import Delivery
from connector.routes.delivering.desk import Desk
from connector.routes.reading.unread import Again, Unread
from connector.runtime.collecting import Collector
from connector.runtime.floor import Floor
from connector.runtime.housekeeping import guarded
from connector.runtime.rescue import Rescue
from connector.runtime.working import Worker

if TYPE_CHECKING:
    from connector.config.models import Route

__all__ = ["Crew", "Works"]

Works = Worker | Collector


class Crew:
    """Everybody who works on tasks in this process.

    Args:
        desk: what all deliveries share.
        floor: what all workers share.
        routes: the configured routes that run.
        more_comes: whether whatever gives a route its documents is still at it.
        fleet: whether other processes work on the same routes.
    """

    def __init__(
        self, desk: Desk, floor: Floor, routes: Sequence[str], more_comes: Callable[[str], bool], *, fleet: bool
    ) -> None:
        self.routes = tuple(routes)
        self._desk = desk
        self._floor = floor
        self._more_comes = more_comes
        self._fleet = fleet
        self._deliveries: list[Delivery] = []
        self.workers: Mapping[str, Works] = {
            name: self._worker(name) for route in routes for name in (route, *implied(desk.runtime, route))
        }
        lowest = min(self._settings(name).priority for name in self.workers)
        self._ranked = [
            (priority, worker)
            for name, worker in self.workers.items()
            if (priority := self._settings(name).priority) > lowest
        ]

    def tell(self, change: Change) -> None:
        """Wakes the workers for which a change has tasks."""
        for task in change.accept:
            self._wake(task.route)
        for carried in change.carry:
            self._wake(carried.carrier.route)

    def wake(self) -> None:
        """Wakes everybody: somebody else may have changed something."""
        for worker in self.workers.values():
            worker.wake()

    def look(self) -> None:
        """Lets those look who wait for what others do: routes that gather, and routes of lower priority."""
        for worker in self.workers.values():
            worker.look()

    @property
    def idle(self) -> bool:
        """Whether nobody has anything to do now."""
        return all(worker.idle for worker in self.workers.values())

    def names_of(self, route: str) -> list[str]:
        """A configured route and those that it implies."""
        return [name for name in self.workers if parent_of(name)[0] == route]

    def busy(self, route: str) -> bool:
        """Whether somebody works on tasks of a configured route, or of one that it implies."""
        return any(not self.workers[name].idle for name in self.names_of(route))

    def takes_on(self, route: str) -> bool:
        """Whether somebody takes on what was read for a configured route."""
        return any(not self.workers[name].idle for name in self.names_of(route) if reads(name))

    @property
    def paused(self) -> Mapping[str, Pause]:
        """The routes that wait until somebody has acted, or the network is back."""
        return {name: pause for name, worker in self.workers.items() if (pause := worker.paused) is not None}

    @property
    def leased(self) -> Sequence[int]:
        """The tasks that this process has."""
        return [task for worker in self.workers.values() for task in worker.leased]

    async def abandon(self, tasks: Collection[int]) -> None:
        """Breaks off tasks that another worker has now."""
        for worker in self.workers.values():
            await worker.abandon(tasks)

    def stop(self) -> None:
        """Leases no more; what is under way comes to its end."""
        for worker in self.workers.values():
            worker.stop()

    def run(self) -> list[asyncio.Task[None]]:
        """Begins to work."""
        return [asyncio.create_task(guarded(worker.run(), self._floor.broken)) for worker in self.workers.values()]

    async def close(self) -> None:
        """Closes what deliveries have open."""
        for delivery in self._deliveries:
            await delivery.close()

    def _wake(self, route: str) -> None:
        worker = self.workers.get(route)
        if worker is not None:
            worker.wake()

    def _worker(self, name: str) -> Works:
        desk, floor, settings = self._desk, self._floor, self._settings(name)
        delivery = Delivery(desk, name)
        self._deliveries.append(delivery)
        rescue = Rescue(floor.store, settings, desk.hide.text, floor.wall, floor.timing)
        configured = name in desk.runtime.configuration.routes
        again = Again(desk.runtime, parent_of(name)[0], desk.keeping)
        takes = Unread(delivery, again) if configured or delivery.gathers else delivery
        if delivery.gathers and isinstance(takes, Unread):
            more_comes = partial(self._more_comes, name)
            return Collector(name, delivery, floor, unread=takes, rescue=rescue, more_comes=more_comes)
        batches = name.endswith(BATCH)
        return Worker(
            name,
            takes,
            floor,
            rescue=rescue,
            steps_back=lambda: self._is_crowded_above(settings.priority),
            limit=delivery.concurrency if self._fleet and not batches else 0,
            deadline=None if batches else settings.deadline,
        )

    def _settings(self, name: str) -> Route:
        return self._desk.runtime.configuration.routes[parent_of(name)[0]]

    def _is_crowded_above(self, priority: int) -> bool:
        return any(worker.crowded for above, worker in self._ranked if above > priority)
