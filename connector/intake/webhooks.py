"""OpenAI's webhooks received: known to be genuine, and on disk before they are acknowledged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from connector.delivery.context import DeliveryContext
from connector.delivery.route_spec import BATCH, implied_routes
from connector.documents import parse
from connector.engine import Filter, StoreError, TaskState
from connector.errors import ConfigurationError, ConnectorError, InvalidDocument
from connector.intake.arrivals import Arrival, ArrivalIntake, Received
from connector.model import JSON, is_object, members
from connector.subscribers.webhook import Parameters, is_genuine

__all__ = ["WebhookReceiver"]

ENTITIES: Mapping[str, tuple[str, str]] = {
    "batch": ("batches", "batch_id"),
    "response": ("responses", "response_id"),
    "fine_tuning": ("fine-tuning jobs", "fine_tuning_job_id"),
    "video": ("videos", "video_id"),
}
"""What the events of a family name, and the path parameter by which it is read."""
PATIENCE = 5.0
"""Seconds for reading what an event names: who sent it waits."""
WRONG = Received(400, "this is not accepted")
LATER = Received(503, "this cannot be kept now; send it again", retry_after=30)


class WebhookReceiver:
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
        self._intake = ArrivalIntake(shared, name, routes)
        self._batches = [
            implied
            for route in runtime.configuration.routes
            for implied in implied_routes(runtime, route)
            if implied.endswith(BATCH)
        ]
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
        await self._wake_batch(event)
        if asked.events and event.get("type") not in asked.events:
            return Received(200, "nobody asked for this")
        try:
            document = await self._fetch(event, asked) if asked.fetch else event
            if document is None:
                return LATER
            await self._intake.accept([Arrival(document, headers["webhook-id"])])
        except StoreError:
            return LATER
        return Received(200, "accepted")

    async def _wake_batch(self, event: Mapping[str, JSON]) -> None:
        """Let the batch that has ended be asked for now, whichever process waits for it; it is asked for anyway."""
        named = members(event.get("data")).get("id")
        if not str(event.get("type")).startswith("batch.") or not isinstance(named, str) or not named:
            return
        for route in self._batches:
            with suppress(StoreError):
                await self._shared.store.hurry(Filter(route=route, states=[TaskState.WAITING], reason=f"{named} is "))

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
