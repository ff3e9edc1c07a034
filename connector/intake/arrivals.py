"""Documents that arrive by themselves become tasks: all of a request in one commit, and each once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from connector.delivery.context import DeliveryContext
from connector.delivery.new_tasks import IN_ORDER, TaskIdentity, raw_task
from connector.delivery.route_spec import INCOMING, route_spec
from connector.delivery.storages import AttemptStorages
from connector.engine import Change, NewTask, StoreError
from connector.errors import ConfigurationError, ConnectorError
from connector.intake.backpressure import Backpressure
from connector.intake.dead_letters import DEAD_LETTER, dead_letter
from connector.model import JSON
from connector.pipeline.chains import Applied, apply
from connector.transform.context import Locks

__all__ = ["Arrival", "ArrivalIntake", "Received"]


@dataclass(frozen=True, slots=True)
class Received:
    """What a sender is answered: a status, and what is said with it.

    Attributes:
        body: a JSON answer in place of a sentence.
        retry_after: seconds after which it is worth sending again; 0 when it is not.
        challenge: how to prove oneself, for who did not.
    """

    status: int
    said: str = ""
    body: JSON = None
    retry_after: int = 0
    challenge: str = ""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A document, and what its sender repeats when it sends it again."""

    document: JSON
    identity: str


class ArrivalIntake:
    """Makes tasks of what arrives for one incoming connection.

    Args:
        shared: what all routes of a process share.
        name: the incoming connection.
        routes: the routes that read it.
    """

    def __init__(self, shared: DeliveryContext, name: str, routes: Sequence[str]) -> None:
        runtime = shared.runtime
        incoming: Any = runtime.configuration.find("incoming", name)
        settings = [runtime.configuration.routes[route] for route in routes]
        self._shared = shared
        self._routes = routes
        self._runtime = runtime
        self._identities = {route: TaskIdentity(runtime, route) for route in routes}
        self._chain = runtime.chain(incoming.chain, f"incoming.{name}.chain")
        self._raw = route_spec(runtime, routes[0] + INCOMING) if self._chain.calls else None
        self._order = IN_ORDER if any(one.order for one in settings) else ""
        if any(getattr(stage, "gather", None) is not None for stage in self._chain.stages):
            raise ConfigurationError(f"incoming.{name} receives documents one by one; gather them in a route's chain")
        self._locks = Locks()
        extra = [] if self._raw is None else [self._raw.name]
        self._rooms = [
            Backpressure(shared.store, (route, *extra), one.max_tasks, shared.timing)
            for route, one in zip(routes, settings, strict=True)
        ]

    async def has_room(self, count: int) -> bool:
        """Return whether the queues of all routes take more documents, as `max_tasks` says."""
        return all([await room.try_take(count) for room in self._rooms])

    async def accept(self, arrivals: Sequence[Arrival]) -> int:
        """Make tasks of documents in one commit, and return how many documents were not known.

        Raises:
            StoreError: nothing of them is kept, since there is no space, for example.
        """
        if self._raw is not None:
            raw = self._raw
            made = [
                replace(raw_task(one.document, raw, one.identity, one.identity), order=self._order) for one in arrivals
            ]
            return await self._commit([[task] for task in made], Change())
        tasks: list[list[NewTask]] = []
        kept: list[AttemptStorages] = []
        for arrival in arrivals:
            kept.append(self._shared.storages.begin())
            tasks.append(await self._tasks(arrival, kept[-1]))
        records = {key: value for one in kept for key, value in one.records().items()}
        try:
            return await self._commit(tasks, Change(records=records))
        except StoreError:
            for one in kept:
                one.give_up()
            raise

    async def _tasks(self, arrival: Arrival, kept: AttemptStorages) -> list[NewTask]:
        """Return what a document becomes on all routes; one on which the chain fails is kept as a failed task."""
        chained = replace(self._runtime.chained, storages=kept.storages)
        applied: Applied = await apply(self._chain, arrival.document, chained, self._locks)
        if applied.failed is not None:
            kept.give_up()
            reason = self._runtime.redact(str(applied.failed))
            return [self._letter(route, arrival, reason) for route in self._routes]
        identity = arrival.identity
        return [
            self._task(route, Arrival(document, f"{identity}.{number}" if number else identity))
            for route in self._routes
            for number, document in enumerate(applied.documents)
        ]

    async def _commit(self, tasks: Sequence[Sequence[NewTask]], change: Change) -> int:
        """Commit at once or fail: while there is no space, the sender keeps what it sent."""
        change = replace(change, accept=[task for made in tasks for task in made])
        numbers = iter((await self._shared.store.commit(change)).accepted)
        self._shared.on_commit(change)
        fresh = [[bool(next(numbers)) for _ in made] for made in tasks]
        return sum(any(one) or not one for one in fresh)

    def _task(self, route: str, arrival: Arrival) -> NewTask:
        try:
            return self._identities[route].event(arrival.document, arrival.identity)
        except ConnectorError as error:
            return self._letter(route, arrival, self._runtime.redact(str(error)))

    def _letter(self, route: str, arrival: Arrival, reason: str) -> NewTask:
        document, identity = dead_letter(arrival.document, reason), arrival.identity
        return NewTask(route=route, document=document, key=f"{DEAD_LETTER}{identity}", version=identity)
