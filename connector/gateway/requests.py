"""What a request must be before anybody looks at who sent it."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from aiohttp import web

from connector.gateway.headers import check_once
from connector.gateway.refusals import Refused

__all__ = ["Hosts", "check_form"]

SPOKEN = ((1, 0), (1, 1))
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def check_form(request: web.BaseRequest) -> None:
    """Refuses what two servers on the way may read in two ways."""
    headers = request.headers
    if request.version not in SPOKEN:
        raise Refused(505, "http_version", "HTTP/1.1 is spoken here", close=True)
    coding = headers.get("transfer-encoding")
    if coding is not None and (coding.strip().lower() != "chunked" or request.version < (1, 1)):
        raise Refused(501, "transfer_encoding", "a body is plain or chunked, and nothing else", close=True)
    if "upgrade" in headers:
        raise Refused(501, "upgrade", "connections are not handed over: call upstream for WebSockets", close=True)
    if request.method not in METHODS:
        raise Refused(405, "method_not_allowed", f"allowed: {', '.join(METHODS)}", close=True)
    check_once(headers)


class Hosts:
    """The names by which the gateway is called; any other one is somebody else's.

    Args:
        names: as configured, with a port or without.
        bound: addresses that it listens on.
        port: where it listens.
        secure: whether over TLS.
    """

    def __init__(self, names: Collection[str], bound: Collection[str], port: int, *, secure: bool) -> None:
        self._allowed = {f"{name}:{port}" for name in bound}
        self._origins = {f"{'https' if secure else 'http'}://{host}" for host in self._allowed}
        plain = 443 if secure else 80
        if port == plain:
            self._allowed |= set(bound)
        for name in (name.lower() for name in names):
            self._allowed.add(name)
            if urlsplit(f"//{name}").port is None:
                self._allowed |= {f"{name}:{port}", f"{name}:{plain}"}

    @property
    def allowed(self) -> frozenset[str]:
        """Every Host that is served, in small letters."""
        return frozenset(self._allowed)

    def check(self, request: web.BaseRequest) -> None:
        """Refuses a call that was meant for another host, and one that a page in a browser makes."""
        host = request.headers.get("host", "").lower()
        if host not in self._allowed:
            raise Refused(421, "unknown_host", "this host is not served here; gateway.hosts names those that are")
        if "origin" in request.headers:
            raise Refused(403, "origin", "pages in browsers may not call: a token does not belong there")
