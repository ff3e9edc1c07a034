"""A test event, signed here and sent to a receiver as the API would send it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from secrets import token_hex
from urllib.parse import urlsplit

from connector.model import JSON, Outcome

__all__ = ["deliver"]

PASSED_ON = ("proxy", "ca_bundle", "certificate", "timeouts", "transport", "logging", "allowed_hosts")
"""Parameters of the command's client that hold for a receiver too; credentials are not among them."""


async def deliver(url: str, secret: str, event_type: str, parameters: Mapping[str, JSON]) -> Outcome:
    """Send one event and return its outcome; it is not tried again.

    Args:
        url: the receiver's.
        secret: what signs it.
        event_type: such as batch.completed.
        parameters: of the client that the command asks for.
    """
    from connector.documents import dump
    from connector.http import Client
    from connector.sandbox.webhooks import sign

    now, place = int(time.time()), urlsplit(url)
    event = {"id": f"evt_{token_hex(12)}", "object": "event", "type": event_type, "created_at": now}
    body = dump({**event, "data": {"id": f"test_{token_hex(12)}"}})
    headers = {**sign(secret, f"wh_{token_hex(12)}", now, body), "content-type": "application/json"}
    own = {name: value for name, value in parameters.items() if name in PASSED_ON}
    async with Client("http", base_uri=f"{place.scheme}://{place.netloc}", environ={}, **own) as client:
        target = f"{place.path or '/'}{f'?{place.query}' if place.query else ''}"
        wire = client.prepare_raw("POST", target, data=body, headers=headers, answer="text")
        return await client.send(wire, retries=0)
