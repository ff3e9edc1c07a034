"""Webhooks received: known to be genuine, and on disk before they are acknowledged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from connector.delivery.context import DeliveryContext
from connector.delivery.new_tasks import IN_ORDER, TaskIdentity, raw_task
from connector.delivery.route_spec import INCOMING, route_spec
from connector.documents import parse
from connector.engine import Change, NewTask, StoreError
from connector.errors import ConfigurationError, ConnectorError, InvalidDocument
from connector.intake.dead_letters import DEAD_LETTER, dead_letter
from connector.model import JSON, is_object, members
from connector.pipeline.chains import Applied, apply
from connector.subscribers.webhook import WEBHOOK, Parameters, is_genuine
from connector.transform.context import Locks

if TYPE_CHECKING:
    from connector.config import Configuration

__all__ = ["Received", "Receiver", "receivers", "receives"]

ENTITIES: Mapping[str, tuple[str, str]] = {
    "batch": ("batches", "batch_id"),
    "response": ("responses", "response_id"),
    "fine_tuning": ("fine-tuning jobs", "fine_tuning_job_id"),
    "video": ("videos", "video_id"),
}
"""What the events of a family name, and the path parameter by which it is read."""
PATIENCE = 5.0
"""Seconds for reading what an event names: who sent it waits."""


@dataclass(frozen=True, slots=True)
class Received:
    """What is answered: a status, and what is said with it."""

    status: int
    said: str = ""


WRONG = Received(400, "this is not accepted")
LATER = Received(503, "this cannot be kept now; send it again")


def receives(configuration: Configuration, route: str) -> bool:
    """Return whether a configured route reads webhooks."""
    incoming = configuration.incoming[configuration.routes[route].incoming]
    return incoming.subscriber.prototype == WEBHOOK.name and not incoming.disabled


def receivers(shared: DeliveryContext, routes: Sequence[str]) -> dict[str, Receiver]:
    """Return what receives webhooks, by the path that they are sent to."""
    found: dict[str, Receiver] = {}
    configuration, readers_of = shared.runtime.configuration, dict[str, list[str]]()
    for route in (route for route in routes if receives(configuration, route)):
        readers_of.setdefault(configuration.routes[route].incoming, []).append(route)
    for name, readers in readers_of.items():
        receiver = Receiver(shared, name, readers)
        if receiver.path in found:
            raise ConfigurationError(f"incoming.{name}: {receiver.path} is another one's path already; choose another")
        found[receiver.path] = receiver
    return found


class Receiver:
    """Receives the webhooks of one incoming connection.

    Args:
        shared: what all routes of a process share.
        name: the incoming connection.
        routes: the routes that read it.
    """

    def __init__(self, shared: DeliveryContext, name: str, routes: Sequence[str]) -> None:
        runtime = shared.runtime
        incoming: Any = runtime.configuration.find("incoming", name)
        self._shared = shared
        self._runtime = runtime
        self._name = name
        self._incoming = incoming
        self._routes = {route: TaskIdentity(runtime, route) for route in routes}
        self._chain = runtime.chain(incoming.chain, f"incoming.{name}.chain")
        self._intake = route_spec(runtime, routes[0] + INCOMING) if self._chain.calls else None
        self._order = IN_ORDER if any(runtime.configuration.routes[route].order for route in routes) else ""
        if any(getattr(stage, "gather", None) is not None for stage in self._chain.stages):
            raise ConfigurationError(f"incoming.{name} receives webhooks one by one; gather them in a route's chain")
        self._locks = Locks()
        asked = self._parameters()
        self.path = asked.path
        self.most = asked.max_bytes
        if asked.fetch and asked.client is None:
            raise ConfigurationError(f"incoming.{name}: fetch needs a client to read with; say client: NAME")

    async def __call__(self, headers: Mapping[str, str], body: bytes) -> Received:
        """Return the answer; success means that the event is on disk, or is not subscribed to."""
        asked = self._parameters()  # secrets may be rotated while we run
        if len(body) > asked.max_bytes or not is_genuine(
            headers, body, asked.keys(), self._shared.wall(), asked.tolerance
        ):
            return WRONG
        try:
            event = parse(body)
        except InvalidDocument:
            return WRONG
        if not is_object(event):
            return WRONG
        if asked.events and event.get("type") not in asked.events:
            return Received(200, "nobody asked for this")
        try:
            document = await self._fetch(event, asked) if asked.fetch else event
            if document is None:
                return LATER
            await self._accept(document, headers["webhook-id"])
        except StoreError:
            return LATER
        return Received(200, "accepted")

    async def _accept(self, document: JSON, identity: str) -> None:
        """Make the event's tasks, each once however often the event is sent."""
        if self._intake is not None:
            taken = replace(raw_task(document, self._intake, identity, identity), order=self._order)
            await self._commit(Change(accept=[taken]))
            return
        kept = self._shared.storages.begin()
        chained = replace(self._runtime.chained, storages=kept.storages)
        applied: Applied = await apply(self._chain, document, chained, self._locks)
        if applied.failed is not None:
            kept.give_up()
            reason = self._runtime.redact(str(applied.failed))
            tasks = [self._make_dead_letter(route, document, reason, identity) for route in self._routes]
            await self._commit(Change(accept=tasks))
            return
        tasks = [
            self._task(route, made, f"{identity}.{number}" if number else identity)
            for route in self._routes
            for number, made in enumerate(applied.documents)
        ]
        try:
            await self._commit(Change(accept=tasks, records=kept.records()))
        except StoreError:
            kept.give_up()
            raise

    async def _commit(self, change: Change) -> None:
        """Commit at once or fail: while there is no space, the sender keeps the event."""
        await self._shared.store.commit(change)
        self._shared.on_commit(change)

    def _task(self, route: str, document: JSON, identity: str) -> NewTask:
        try:
            return self._routes[route].event(document, identity)
        except ConnectorError as error:
            return self._make_dead_letter(route, document, self._runtime.redact(str(error)), identity)

    def _make_dead_letter(self, route: str, document: JSON, reason: str, identity: str) -> NewTask:
        return NewTask(
            route=route, document=dead_letter(document, reason), key=f"{DEAD_LETTER}{identity}", version=identity
        )

    async def _fetch(self, event: Mapping[str, JSON], asked: Parameters) -> JSON:
        """Return the event with what it names; None when that cannot be read now."""
        entity, parameter = ENTITIES.get(str(event.get("type")).partition(".")[0], ("", ""))
        named = members(event.get("data")).get("id")
        if not entity or not isinstance(named, str) or asked.client is None:
            return event
        try:
            client = self._runtime.client(asked.client)
            wire = client.prepare(client.catalogue.find(entity, "retrieve"), {"path": {parameter: named}})
            outcome = await client.send(wire, timeout=PATIENCE, retries=0)
        except ConnectorError:
            return None
        if outcome.status == 404:
            return {**event, "entity": None}
        return {**event, "entity": outcome.body} if outcome.ok else None

    def _parameters(self) -> Parameters:
        where = f"incoming.{self._name}.subscriber.parameters"
        return self._runtime.parameters(self._incoming.subscriber, Parameters, (), where)
