"""Webhooks: signed, sent, retried and recorded."""

from __future__ import annotations

import asyncio
import binascii
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from hmac import digest
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from connector.documents import dump
from connector.errors import ConfigurationError
from connector.model import JSON
from connector.sandbox.ids import IdSource
from connector.sandbox.object_store import ObjectStore
from connector.sandbox.timers import Timer, TimerLoop, TimerQueue

if TYPE_CHECKING:
    from aiohttp import ClientSession

__all__ = ["DELIVERIES", "ENDPOINTS", "NOT_LOCAL", "SECRETS", "Webhooks", "decode_secret", "derive_secret", "sign"]

PREFIX = "whsec_"
ENDPOINTS = "webhook endpoints"
SECRETS = "sandbox webhook secrets"
DELIVERIES = "sandbox webhooks"
MOST_DELIVERIES = 1000
"""Deliveries that are remembered."""
RETRY_DELAYS = (1, 2, 4, 8)
"""The delay before each retry, in units of the pace; after the last one the webhook is given up."""
TIMEOUT = 5.0
MOST_AT_ONCE = 16
NOT_LOCAL = "not sent: endpoints that were created here are called on this machine only; --webhook takes any URL"


class WebhookOptions(Protocol):
    """The options of a sandbox that its webhooks need."""

    @property
    def seed(self) -> int: ...

    @property
    def pace(self) -> float: ...

    @property
    def webhook(self) -> str | None: ...

    @property
    def webhook_secret(self) -> str | None: ...


def decode_secret(secret: str) -> bytes:
    """Return the signing key in a secret as it is shown to people."""
    try:
        key = b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise ConfigurationError(f"the webhook secret is not {PREFIX} followed by base64; leave it out to be given one")
    return key


def derive_secret(seed: str) -> str:
    """Return the signing secret of a seed."""
    return PREFIX + b64encode(sha256(f"webhook secret {seed}".encode()).digest()).decode()


def sign(secrets: str, webhook_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the headers of one webhook: its id, its time, and the signatures over both and the body.

    Args:
        secrets: one, or several with spaces between them: each signs.
        webhook_id: the delivery's, the same for each try.
        timestamp: seconds since 1970.
        body: as it is sent.
    """
    text = f"{webhook_id}.{timestamp}.".encode() + body
    signatures = (b64encode(digest(decode_secret(secret), text, sha256)).decode() for secret in secrets.split())
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


class Webhooks:
    """The webhooks of one sandbox: to the URL it was started with, and to the endpoints that were created in it."""

    def __init__(
        self, objects: ObjectStore, ids: IdSource, clock: Callable[[], float], options: WebhookOptions
    ) -> None:
        self._objects = objects
        self._ids = ids
        self._now = clock
        self._options = options
        self._timers = TimerQueue(objects, "webhook timetable")
        self._session: ClientSession | None = None
        self._loop = TimerLoop(self.send_due, self._seconds_until_due)
        self.secret = options.webhook_secret or derive_secret(str(options.seed))
        decode_secret(self.secret)

    def start(self) -> None:
        """Send webhooks when they are due, also those that an earlier run of the sandbox left open."""
        self._loop.start()

    async def close(self) -> None:
        """Stop sending, and close the connections."""
        await self._loop.stop()
        if self._session is not None:
            await self._session.close()
            self._session = None

    def send(self, event_type: str, data: Mapping[str, JSON]) -> None:
        """Send an event to every receiver of its type."""
        event = self._build_event(event_type, data)
        for url, endpoint in self._receivers(event_type):
            self._queue(url, endpoint, event)
        self._loop.wake()

    async def send_test(
        self, endpoint: Mapping[str, JSON], event_type: str, data: Mapping[str, JSON]
    ) -> dict[str, JSON]:
        """Send an event to one endpoint now and once, even if it takes other event types; return the attempt."""
        delivery = self._build_delivery(endpoint["url"], endpoint["id"], self._build_event(event_type, data))
        attempt = await self._post(delivery)
        state = "delivered" if 200 <= attempt.get("status", 0) < 300 else "failed"
        self._keep({**delivery, "state": state, "attempts": [{"at": int(self._now()), **attempt}]})
        return attempt

    async def send_due(self) -> None:
        """Try each webhook that is due once."""
        timers: list[Timer] = []
        while len(timers) < MOST_AT_ONCE and (timer := self._timers.pop_due(self._now())) is not None:
            timers.append(timer)
        await asyncio.gather(*(self._try(timer) for timer in timers))

    def _build_event(self, event_type: str, data: Mapping[str, JSON]) -> dict[str, JSON]:
        event: dict[str, JSON] = {"id": self._ids.new_id("evt_"), "object": "event", "type": event_type}
        return {**event, "created_at": int(self._now()), "data": dict(data)}

    def _receivers(self, event_type: str) -> Iterator[tuple[str, str]]:
        """Yield the URLs that an event goes to, each with the id of its endpoint."""
        if self._options.webhook:
            yield self._options.webhook, ""
        for endpoint in self._objects.all(ENDPOINTS):
            if event_type in endpoint["event_types"]:
                yield endpoint["url"], endpoint["id"]

    def _queue(self, url: str, endpoint: str, event: Mapping[str, JSON]) -> None:
        """Record a delivery that is due now."""
        delivery = self._build_delivery(url, endpoint, event)
        self._keep(delivery)
        self._timers.add(Timer("webhook", delivery["id"], "", self._now()))

    def _build_delivery(self, url: str, endpoint: str, event: Mapping[str, JSON]) -> dict[str, Any]:
        delivery = {"id": self._ids.new_id("wh_"), "url": url, "endpoint": endpoint, "state": "waiting"}
        return {**delivery, "event": dict(event), "attempts": []}

    def _keep(self, delivery: dict[str, JSON]) -> None:
        """Remember a delivery, and forget the oldest one where there are too many."""
        self._objects.put(DELIVERIES, delivery)
        if self._objects.count(DELIVERIES) > MOST_DELIVERIES:
            oldest = self._objects.page(DELIVERIES, limit=1, order="asc").items[0]
            self._objects.delete(DELIVERIES, oldest["id"])

    async def _try(self, timer: Timer) -> None:
        """Send a delivery once, record the attempt, and schedule the next one where it failed."""
        delivery = self._objects.get(DELIVERIES, timer.id)
        if delivery is None:
            self._timers.remove(timer)
            return
        attempt = await self._post(delivery)
        delivery["attempts"].append({"at": int(self._now()), **attempt})
        tries = len(delivery["attempts"])
        is_delivered = 200 <= attempt.get("status", 0) < 300
        is_given_up = tries > len(RETRY_DELAYS) or attempt.get("error") == NOT_LOCAL
        delivery["state"] = "delivered" if is_delivered else "failed" if is_given_up else "waiting"
        self._objects.put(DELIVERIES, delivery)
        if delivery["state"] == "waiting":
            due = self._now() + RETRY_DELAYS[tries - 1] * self._options.pace
            self._timers.add(replace(timer, due=due))
        else:
            self._timers.remove(timer)

    async def _post(self, delivery: Mapping[str, JSON]) -> dict[str, JSON]:
        """Return the status of one attempt, or why there is none."""
        from aiohttp import ClientError, ClientSession, ClientTimeout

        if delivery["endpoint"] and not _is_local(delivery["url"]):
            return {"error": NOT_LOCAL}
        body = dump(delivery["event"])
        headers = sign(self._find_secret(delivery["endpoint"]), delivery["id"], int(self._now()), body)
        self._session = self._session or ClientSession(timeout=ClientTimeout(total=TIMEOUT), trust_env=False)
        headers |= {"content-type": "application/json", "user-agent": "openai-connector-sandbox/1.0"}
        try:
            async with self._session.post(delivery["url"], data=body, headers=headers, allow_redirects=False) as answer:
                return {"status": answer.status}
        except (ClientError, TimeoutError, ValueError) as error:
            return {"error": f"{type(error).__name__}: {error}"}

    def _find_secret(self, endpoint: str) -> str:
        """Return what signs for an endpoint: its secret, and the one before it for a day after a rotation."""
        stored = self._objects.get(SECRETS, endpoint) if endpoint else None
        if stored is None:
            return self.secret
        is_active = self._now() < stored.get("old_until", 0)
        return f"{stored['secret']} {stored['old']}" if is_active else str(stored["secret"])

    def _seconds_until_due(self) -> float | None:
        due = self._timers.due
        return None if due is None else due - self._now()


def _is_local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
