"""Somebody else's request, with the client's address and credentials in place of the caller's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote_plus

import httpx

from connector.catalogue.operation import Operation
from connector.http.call import Call
from connector.http.dispatch import send_call
from connector.http.raw_response import RawResponse
from connector.model import JSON, Effect
from connector.request.wire import Body, Wire

__all__ = ["ForwardRequest", "SendRequest", "join_headers", "join_target", "make_sender"]

NEVER_FORWARDED = frozenset({
    "authorization", "proxy-authorization", "openai-organization", "openai-project", "api-key", "x-api-key",
    "x-goog-api-key", "cookie", "host", "content-length", "transfer-encoding", "expect",
})  # fmt: skip
"""Headers that say who calls, or frame the body: ours to give."""
EFFECTS = {"GET": Effect.NONE, "HEAD": Effect.NONE, "OPTIONS": Effect.NONE, "DELETE": Effect.IDEMPOTENT}


@dataclass(slots=True, kw_only=True)
class ForwardRequest:
    """A request to forward: path, query and body are the caller's, credentials are not."""

    method: str
    path: str
    """Encoded, relative to the client's base URI."""
    query: str = ""
    """As it came."""
    headers: Sequence[tuple[str, str]] = ()
    """The caller's own; the client's of the same name take their place."""
    body: Body | None = None
    operation: Operation | None = None
    payload: JSON = None
    """What is known of the body, for addresses that depend on it."""

    def build_wire(self) -> Wire:
        """Return the call, without a query of its own."""
        operation = self.operation
        effect = operation.effect if operation is not None else EFFECTS.get(self.method, Effect.OPAQUE)
        return Wire(method=self.method, path=self.path, body=self.body, operation=operation, effect=effect)


SendRequest = Callable[[Call], Awaitable[RawResponse]]


def join_target(placed: Wire, query: str) -> str:
    """Return path and query as they came, with what the address adds; of two parameters of one name ours goes out."""
    if not placed.query:
        return f"{placed.path}?{query}" if query else placed.path
    names = {name for name, _ in placed.query}
    own = (f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in placed.query)
    rest = (part for part in query.split("&") if part and unquote_plus(part.partition("=")[0]) not in names)
    return f"{placed.path}?{'&'.join((*own, *rest))}"


def join_headers(headers: Iterable[tuple[str, str]], ours: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the caller's headers that go out, and the client's in the place of those of the same name."""
    lead = [
        (name, value) for name, value in headers if (key := name.lower()) not in NEVER_FORWARDED and key not in ours
    ]
    lead += ours.items()
    return lead


def make_sender(
    transport: httpx.AsyncBaseTransport, headers: Iterable[tuple[str, str]], ours: Mapping[str, str]
) -> SendRequest:
    """Return how a call goes out."""
    lead = join_headers(headers, ours)
    return lambda call: send_call(transport, call, [("host", call.url.netloc.decode()), *lead])
