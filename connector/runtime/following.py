"""Which routes still get documents from somewhere, and when the run of a route has come to its end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from connector.engine import Store
from connector.routes.delivering.declared import parent_of, reads
from connector.routes.reading.readings import Readings
from connector.runtime.crew import Crew
from connector.runtime.ending import live
from connector.runtime.plan import source_of

if TYPE_CHECKING:
    from connector.config import Configuration

__all__ = ["Following"]


class Following:
    """Knows which route reads the answers of which.

    Args:
        configuration: what was declared.
        routes: the configured routes that run.
        crew: who works on their tasks.
        readings: what reads for them.
        store: where their tasks are.
    """

    def __init__(
        self, configuration: Configuration, routes: Sequence[str], crew: Crew, readings: Readings, store: Store
    ) -> None:
        self._sources = {route: source_of(configuration, route) for route in routes}
        self._crew = crew
        self._readings = readings
        self._store = store
        self._ending: set[str] = set()

    def more_comes(self, name: str) -> bool:
        """Whether whatever gives a route its documents, or the route that implies it, is still at it."""
        route = parent_of(name)[0]
        if not reads(name) and self._crew.takes_on(route):
            return True
        above = self._above(route)
        return any(route in self._readings.under_way for route in above) or any(map(self._crew.busy, above[1:]))

    def begin(self, read: str) -> None:
        """A reading has ended: so will, sometime, the run of its route and of those that get its answers."""
        self._ending |= {route for route in self._sources if read in self._above(route)}

    async def ended(self) -> Sequence[str]:
        """The routes whose run has come to its end since this was last asked."""
        quiet = [route for route in self._ending if not self.more_comes(route) and not self._crew.busy(route)]
        if not quiet:
            return ()
        left = live(await self._store.counts())
        found = [route for route in quiet if not any(left.get(name) for name in self._crew.names_of(route))]
        self._ending.difference_update(found)
        return found

    def _above(self, route: str) -> list[str]:
        """A route, the one whose answers it reads, and so on; of a circle, each once."""
        found: list[str] = []
        following: str | None = route
        while following is not None and following not in found and following in self._sources:
            found.append(following)
            following = self._sources[following]
        return found
