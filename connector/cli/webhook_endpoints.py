"""The webhook endpoints of a project: the operations that `webhooks` needs, each call with its failure as an error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from connector.errors import ConfigurationError, UnknownName
from connector.model import JSON, CallFailed, items, members
from connector.suggestions import closest

if TYPE_CHECKING:
    from connector.http import Client

__all__ = ["Endpoints", "check_url"]

ENTITY = "webhook endpoints"
EVERY = "all"


class Endpoints:
    """What a client's project has.

    Args:
        client: whose key says which project.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    async def list_all(self) -> list[dict[str, JSON]]:
        """Return all endpoints, over all pages."""
        from connector.subscriber import Subscriber

        return [members(one) async for one in Subscriber(self._client, f"{ENTITY} list").read()]

    async def find(self, which: str) -> dict[str, JSON]:
        """Return the endpoint with an id, a URL or a name."""
        known = await self.list_all()
        for key in ("id", "url", "name"):
            found = [one for one in known if one.get(key) == which]
            if len(found) == 1:
                return found[0]
            if found:
                ids = ", ".join(str(one["id"]) for one in found)
                raise ConfigurationError(f"{len(found)} webhook endpoints have the {key} {which!r}: say which, {ids}")
        names = [str(one[key]) for one in known for key in ("id", "url", "name")]
        hint = "`webhooks list` shows them" if known else "the project has none; `webhooks register` makes one"
        raise UnknownName("webhook endpoint", which, closest(which, names), hint)

    async def create(self, url: str, name: str, events: Sequence[str]) -> dict[str, JSON]:
        """Return a new endpoint with its secret; nothing is made where one has this URL already."""
        for known in await self.list_all():
            if known.get("url") == url:
                raise ConfigurationError(
                    f"{known['id']} has this URL already: `webhooks rotate {known['id']}` gives it a new secret"
                )
        types = await self._list_types() if list(events) == [EVERY] else list(events)
        return await self._call("create", {"payload": {"url": url, "name": name, "event_types": types}})

    async def rotate(self, endpoint: str, *, overlap: bool) -> dict[str, JSON]:
        """Return the endpoint with its new secret.

        Args:
            endpoint: its id.
            overlap: whether the old secret goes on signing for a day.
        """
        payload = {"keep_old_secret_active_for_24_hours": overlap}
        return await self._call("rotate_secret", {"path": {"webhook_endpoint_id": endpoint}, "payload": payload})

    async def test(self, endpoint: str, event: str) -> dict[str, JSON]:
        """Let the API send a test event; return the status that the endpoint answered with."""
        return await self._call("test", {"path": {"webhook_endpoint_id": endpoint}, "payload": {"event_type": event}})

    async def delete(self, endpoint: str) -> dict[str, JSON]:
        """Remove an endpoint; return what the API says."""
        return await self._call("delete", {"path": {"webhook_endpoint_id": endpoint}})

    async def _list_types(self) -> list[JSON]:
        body = await self._send("webhook event types list", {})
        return items(body.get("data"))

    async def _call(self, action: str, request: dict[str, JSON]) -> dict[str, JSON]:
        return await self._send(f"{ENTITY} {action}", request)

    async def _send(self, operation: str, request: dict[str, JSON]) -> dict[str, JSON]:
        outcome = await self._client.send(self._client.prepare(operation, request))
        if not outcome.ok:
            raise CallFailed(outcome)
        body = members(outcome.body)
        secret = body.get("signing_secret")
        if isinstance(secret, str):
            self._client.redactor.learn([secret])
        return body


def check_url(url: str) -> None:
    """Refuse a URL that the API would not call: it calls HTTPS, and a sandbox this machine too."""
    from connector.http.addresses import is_loopback

    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        parts, host = urlsplit(""), ""
    if parts.scheme not in ("https", "http") or not host or parts.fragment or " " in url:
        raise ConfigurationError(f"{url!r} is no URL of an endpoint; https://HOST/hooks/NAME is one")
    if parts.username or parts.password:
        raise ConfigurationError("the URL of an endpoint holds no password: its signature proves who calls")
    if parts.scheme == "http" and not is_loopback(host):
        raise ConfigurationError(f"{url!r} would be called in the clear: give https")
