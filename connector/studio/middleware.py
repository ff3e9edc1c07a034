"""What holds for every request before anything else looks at it: the host, the size, the headers of each answer."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException

from connector.studio.problems import Refused

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["BODY_BYTES", "BodyLimit", "ExactHosts", "SecurityHeaders"]

BODY_BYTES = 16 * 2**20
"""The largest body of a request."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
NEVER_KEPT = "no-store"


class SecurityHeaders:
    """Adds the headers that bind a browser; what has no rule of its own is kept in no cache."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", NEVER_KEPT)
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class ExactHosts:
    """Refuses a request for any host but these, so that no other name can be pointed at this address.

    Args:
        hosts: the values of Host that are allowed, with their ports.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        hosts = Headers(scope=scope).getlist("host") if scope["type"] == "http" else []
        if scope["type"] == "http" and (len(hosts) != 1 or hosts[0].lower() not in self._hosts):
            refused = Refused(421, "the studio is not reached by this name", "add the name to `studio.hosts`")
            await refused.response()(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class BodyLimit:
    """Refuses bodies beyond a number of bytes, announced or not.

    Args:
        most: the bytes.
    """

    def __init__(self, app: ASGIApp, most: int = BODY_BYTES) -> None:
        self._app = app
        self._most = most
        self._said = f"the body is larger than {most:,} bytes"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdecimal() and int(announced) > self._most:
            await Refused(413, self._said, "send less at a time").response()(scope, receive, send)
            return
        read = 0

        async def receive_bounded() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._most:
                raise HTTPException(413, self._said)  # FastAPI lets no other error through
            return message

        await self._app(scope, receive_bounded, send)
