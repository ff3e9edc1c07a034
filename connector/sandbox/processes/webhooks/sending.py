"""Webhooks on their way: who wants them, tries until one is taken, and a record of all that."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from connector.documents import dump
from connector.model import JSON
from connector.sandbox.processes.timetable import Entry, Timetable
from connector.sandbox.processes.webhooks.signing import PREFIX, key_of, signed

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from connector.sandbox.call import World

__all__ = ["DELIVERIES", "ENDPOINTS", "SECRETS", "Webhooks", "secret_from"]

ENDPOINTS = "webhook endpoints"
SECRETS = "sandbox webhook secrets"
DELIVERIES = "sandbox webhooks"
KEPT = 1000
"""Deliveries that are remembered."""
WAITS = (1, 2, 4, 8)
"""How long, in states' lengths, until the next try; after the last one the webhook is given up."""
TIMEOUT = 5.0
AT_ONCE = 16
NOT_HERE = "not sent: endpoints that were created here are called on this machine only; --webhook takes any URL"


def secret_from(seed: str) -> str:
    """A signing secret that is the same for the same seed."""
    return PREFIX + b64encode(sha256(f"webhook secret {seed}".encode()).digest()).decode()


class Webhooks:
    """The webhooks of one world: to the URL it was started with, and to the endpoints that were created in it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._timetable = Timetable(world.objects, "webhook timetable")
        self._session: ClientSession | None = None
        self.secret = world.options.webhook_secret or secret_from(str(world.options.seed))
        key_of(self.secret)

    @property
    def due(self) -> float | None:
        """When the next try is due."""
        return self._timetable.due

    def tell(self, event_type: str, data: Mapping[str, JSON]) -> None:
        """Puts an event on its way to everybody who wants events of its type."""
        event = self.event(event_type, data)
        for url, endpoint in self._targets(event_type):
            self.post(url, endpoint, event)

    def event(self, event_type: str, data: Mapping[str, JSON]) -> dict[str, JSON]:
        """An event as receivers see it."""
        event: dict[str, JSON] = {"id": self._world.new_id("evt_"), "object": "event", "type": event_type}
        return {**event, "created_at": int(self._world.now()), "data": dict(data)}

    def post(self, url: str, endpoint: str, event: Mapping[str, JSON]) -> None:
        """Puts one event on its way to one URL."""
        objects = self._world.objects
        delivery = {"id": self._world.new_id("wh_"), "url": url, "endpoint": endpoint, "state": "waiting"}
        objects.put(DELIVERIES, {**delivery, "event": dict(event), "attempts": []})
        self._timetable.put(Entry("webhook", delivery["id"], "", self._world.now()))
        if objects.count(DELIVERIES) > KEPT:
            objects.delete(DELIVERIES, objects.page(DELIVERIES, limit=1, order="asc").items[0]["id"])

    async def send_due(self) -> None:
        """One try for each webhook that is due."""
        entries: list[Entry] = []
        while len(entries) < AT_ONCE and (entry := self._timetable.take(self._world.now())) is not None:
            entries.append(entry)
        await asyncio.gather(*(self._try(entry) for entry in entries))

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _targets(self, event_type: str) -> Iterator[tuple[str, str]]:
        if self._world.options.webhook:
            yield self._world.options.webhook, ""
        for endpoint in self._world.objects.all(ENDPOINTS):
            if event_type in endpoint["event_types"]:
                yield endpoint["url"], endpoint["id"]

    async def _try(self, entry: Entry) -> None:
        delivery = self._world.objects.get(DELIVERIES, entry.id)
        if delivery is None:
            self._timetable.drop(entry)
            return
        found = await self._sent(delivery)
        delivery["attempts"].append({"at": int(self._world.now()), **found})
        tries = len(delivery["attempts"])
        taken = 200 <= found.get("status", 0) < 300
        hopeless = tries > len(WAITS) or found.get("error") == NOT_HERE
        delivery["state"] = "delivered" if taken else "failed" if hopeless else "waiting"
        self._world.objects.put(DELIVERIES, delivery)
        if delivery["state"] == "waiting":
            due = self._world.now() + WAITS[tries - 1] * self._world.options.pace
            self._timetable.put(replace(entry, due=due))
        else:
            self._timetable.drop(entry)

    async def _sent(self, delivery: Mapping[str, JSON]) -> dict[str, JSON]:
        """What came of one try: the status, or why there is none."""
        from aiohttp import ClientError, ClientSession, ClientTimeout

        if delivery["endpoint"] and not _is_here(delivery["url"]):
            return {"error": NOT_HERE}
        body = dump(delivery["event"])
        headers = signed(self._secret_of(delivery["endpoint"]), delivery["id"], int(self._world.now()), body)
        self._session = self._session or ClientSession(timeout=ClientTimeout(total=TIMEOUT), trust_env=False)
        headers |= {"content-type": "application/json", "user-agent": "openai-connector-sandbox/1.0"}
        try:
            async with self._session.post(delivery["url"], data=body, headers=headers, allow_redirects=False) as answer:
                return {"status": answer.status}
        except (ClientError, TimeoutError, ValueError) as error:
            return {"error": f"{type(error).__name__}: {error}"}

    def _secret_of(self, endpoint: str) -> str:
        kept = self._world.objects.get(SECRETS, endpoint) if endpoint else None
        return kept["secret"] if kept else self.secret


def _is_here(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
