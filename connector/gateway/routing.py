"""Route a request: check its form and Host, and find the client, the path and the operation that its target means."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from aiohttp import web

from connector.catalogue import Catalogue
from connector.catalogue.operation import Operation
from connector.gateway.headers import check_duplicates
from connector.gateway.refusals import Refusal
from connector.http import Client
from connector.request.path import check_segment

__all__ = [
    "ANY_API", "METHODS", "PATH_HELP", "HostNames", "OperationFinder", "Route", "check_form", "find_route",
    "is_preflight", "split_target",
]  # fmt: skip

VERSIONS = ((1, 0), (1, 1))
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
PATH = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,;=:@%/]*")
QUERY = re.compile(r"[!-~]*")
STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
UNRESERVED = re.compile(r"[A-Za-z0-9\-._~]")
MAX_PATH = 4096
PATH_HELP = "calls go to /CLIENT/v1/PATH or /v1/apis/http/CLIENT/PATH"
FULL_PREFIX = ("v1", "apis", "http")
ANY_API = "http"
"""A client of this prototype may be any API: the catalogue does not know what its paths mean."""


def check_form(request: web.BaseRequest) -> None:
    """Refuse what two servers on the way may read in two ways."""
    headers = request.headers
    if request.version not in VERSIONS:
        raise Refusal(505, "http_version", "HTTP/1.1 is spoken here", close=True)
    coding = headers.get("transfer-encoding")
    if coding is not None and (coding.strip().lower() != "chunked" or request.version < (1, 1)):
        raise Refusal(501, "transfer_encoding", "a body is plain or chunked, and nothing else", close=True)
    if "upgrade" in headers:
        raise Refusal(501, "upgrade", "connections are not handed over: call upstream for WebSockets", close=True)
    if request.method not in METHODS and not is_preflight(request):
        raise Refusal(405, "method_not_allowed", f"allowed: {', '.join(METHODS)}", close=True)
    check_duplicates(headers)


def is_preflight(request: web.BaseRequest) -> bool:
    """Return whether a browser asks what its page may send."""
    headers = request.headers
    return request.method == "OPTIONS" and "origin" in headers and "access-control-request-method" in headers


class HostNames:
    """The names by which the gateway may be called.

    Args:
        names: as configured, with a port or without.
        bound: addresses that it listens on.
        port: where it listens.
        secure: whether over TLS.
    """

    def __init__(self, names: Collection[str], bound: Collection[str], port: int, *, secure: bool) -> None:
        allowed = {f"{name}:{port}" for name in bound}
        default_port = 443 if secure else 80
        if port == default_port:
            allowed |= set(bound)
        for name in (name.lower() for name in names):
            allowed.add(name)
            if urlsplit(f"//{name}").port is None:
                allowed |= {f"{name}:{port}", f"{name}:{default_port}"}
        self.allowed = frozenset(allowed)
        """Every Host that is served, in lower case."""

    def check(self, request: web.BaseRequest) -> None:
        """Refuse a request for another host."""
        host = request.headers.get("host", "").lower()
        if host not in self.allowed:
            raise Refusal(421, "unknown_host", "this host is not served here; gateway.hosts names those that are")


@dataclass(frozen=True, slots=True)
class Route:
    """The client that a request goes to, and the path below the client's address."""

    client: str
    path: str
    is_full: bool
    """Whether the path may begin with the path of the client's address, as a full URL would."""

    def path_below(self, base_uri: str) -> str:
        """Return the path without the part that the client's address already has."""
        if not self.is_full:
            return self.path
        prefix = urlsplit(base_uri).path.rstrip("/")
        if prefix and self.path.startswith(f"{prefix}/"):
            return self.path[len(prefix) :]
        return self.path


def split_target(target: str) -> tuple[str, str]:
    """Return the path and the query of a request's target; refuse anything but a plain path."""
    path, _, query = target.partition("?")
    if not path.startswith("/"):
        raise _refuse_path("is no path", "absolute URLs and other forms are not taken")
    if not QUERY.fullmatch(query) or "#" in target:
        raise _refuse_path("holds characters that no URL has", "percent-encode them")
    return path, query


@lru_cache(maxsize=4096)
def find_route(path: str) -> Route | None:
    """Return the route of a path, or None; refuse a path that could climb out of its place."""
    if len(path) > MAX_PATH:
        raise Refusal(414, "path_too_long", f"the path is longer than {MAX_PATH} characters", close=True)
    segments = _segments(path)
    if tuple(segments[1:4]) == FULL_PREFIX and len(segments) > 5:
        return Route(unquote(segments[4]), f"/{'/'.join(segments[5:])}", is_full=True)
    if len(segments) > 3 and segments[2] == "v1":
        return Route(unquote(segments[1]), f"/{'/'.join(segments[3:])}", is_full=False)
    return None


def _segments(path: str) -> list[str]:
    """Return the segments of a path, each normalised; refuse what could mean another path."""
    if not PATH.fullmatch(path) or STRAY_PERCENT.search(path):
        raise _refuse_path("holds characters that no path has", "percent-encode them")
    segments = ESCAPE.sub(_unescape, path).split("/")
    if "" in segments[1:-1]:
        raise _refuse_path("holds an empty segment", "write one slash, not two")
    for segment in segments:
        _check_segment(segment)
    return segments


def _check_segment(segment: str) -> None:
    if not segment:
        return
    try:
        text = unquote(segment, errors="strict")
    except UnicodeDecodeError:
        raise _refuse_path("is not UTF-8", "encode it so") from None
    if "/" in text or "\\" in text:
        raise _refuse_path("holds an encoded slash", "an id has none")
    if ";" in text:
        raise _refuse_path(
            "holds a semicolon", "what follows one is part of the path for some servers, and not for others"
        )
    if ESCAPE.search(text):
        raise _refuse_path("holds an escape of an escape", "encode once")
    if check_segment(text) is not None:
        raise _refuse_path("climbs out of its place", "a path without '.', '..' and control characters is taken")


def _unescape(escape: re.Match[str]) -> str:
    """Return an unreserved character as it is: its escape means the same, and would hide it from every rule."""
    char = chr(int(escape[1], 16))
    return char if UNRESERVED.fullmatch(char) else escape[0]


def _refuse_path(found: str, allowed: str) -> Refusal:
    return Refusal(400, "path_refused", f"the request's target {found}: {allowed}; {PATH_HELP}", close=True)


class OperationFinder:
    """Find the operation that a path below a client's address means."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._match = lru_cache(maxsize=4096)(self._find_in_catalogue)

    def find(self, client: Client, method: str, path: str) -> Operation | None:
        """Return the operation, or None when the catalogue does not describe it."""
        return None if client.prototype.name == ANY_API else self._match(method, path)

    def _find_in_catalogue(self, method: str, path: str) -> Operation | None:
        found = self._catalogue.match("GET" if method == "HEAD" else method, path)
        if found is None:
            return None
        operation = found[0]
        # The catalogue looks a path with a version up without it; what is sent still has it, and leads elsewhere.
        return operation if operation.template.count("/") == path.count("/") else None
