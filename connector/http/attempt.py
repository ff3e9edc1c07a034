"""One attempt: a request goes to the transport, and what comes back is told without raising."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

import httpx

from connector.http.error_body import codes_of, evidence, is_complaint, message_of
from connector.http.response import NotWhatWasDue, Unacceptable, chunks_of, lenient, read
from connector.http.response_headers import headers_of
from connector.http.sse import StreamBroken
from connector.http.transports.base import NEVER_SENT, CertificateRefused
from connector.model import JSON, State

__all__ = [
    "Taker",
    "Tried",
    "attempted",
    "broken_stream",
    "opened",
    "reached",
    "refusal",
    "switched",
]

LARGEST_REFUSAL = 1024 * 1024

Answer = TypeVar("Answer")


@dataclass(slots=True)
class Tried:
    """What one attempt came to, before anybody judged it."""

    state: State
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])
    body: JSON = None
    reason: str = ""
    evidence: str = ""
    codes: frozenset[str] = frozenset()
    text: str = ""
    """A refusal's body as it came, for rules that look into it."""
    hopeless: bool = False
    """Whether it is certain that another attempt ends the same way."""


Taker = Callable[[httpx.Response, dict[str, str]], Awaitable[JSON]]
"""Reads the body of an answer that says yes."""


async def attempted(
    transport: httpx.AsyncBaseTransport, request: httpx.Request, take: Taker, *, created: bool
) -> Tried:
    """Sends the request and reads the whole answer."""
    response = await opened(transport, request)
    if isinstance(response, Tried):
        return response
    try:
        if response.status_code >= 300:
            return await refusal(response)
        return await _taken(response, take, created=created)
    finally:
        await response.aclose()


async def opened(transport: httpx.AsyncBaseTransport, request: httpx.Request) -> httpx.Response | Tried:
    """The answer as soon as its headers are there, or why there is none."""
    response = await reached(transport.handle_async_request(request))
    if isinstance(response, Tried) or response.status_code >= 200:
        return response
    await response.aclose()
    return switched(response.status_code)


async def reached(sending: Awaitable[Answer]) -> Answer | Tried:
    """What a transport gives, or why it gives nothing."""
    try:
        return await sending
    except NEVER_SENT as exc:
        # Stock httpx knows no class of its own for a certificate, only OpenSSL's words.
        hopeless = isinstance(exc, CertificateRefused) or "CERTIFICATE_VERIFY_FAILED" in str(exc)
        return Tried(State.NOT_SENT, reason=_words(exc), hopeless=hopeless)
    except httpx.TransportError as exc:
        return Tried(State.UNKNOWN, reason=_words(exc))
    except OSError as exc:
        reason = f"the body of the request could not be read: {exc.strerror or type(exc).__name__}"
        return Tried(State.UNKNOWN, reason=reason, hopeless=True)


def switched(status: int) -> Tried:
    """What an answer below 200 comes to that is the last: a protocol that was not asked for."""
    reason = f"the server answered {status} and left HTTP, which was not asked for"
    return Tried(State.UNKNOWN, status, reason=reason)


async def refusal(response: httpx.Response) -> Tried:
    """An answer that says no; what it says is read as far as it goes."""
    headers = headers_of(response)
    try:
        data = await read(chunks_of(response, headers), LARGEST_REFUSAL)
    except (httpx.TransportError, Unacceptable):
        data = b""
    body = lenient(data, headers.get("content-type", "")) if data else None
    text = data.decode(errors="replace")
    return Tried(State.REFUSED, response.status_code, headers, body, codes=codes_of(body), text=text)


async def _taken(response: httpx.Response, take: Taker, *, created: bool) -> Tried:
    """An answer that says yes, unless its body says otherwise."""
    headers = headers_of(response)
    try:
        body = await take(response, headers)
    except httpx.TransportError as exc:
        return Tried(State.UNKNOWN, response.status_code, headers, reason=_words(exc))
    except Unacceptable as exc:
        return Tried(State.UNKNOWN, response.status_code, headers, reason=str(exc), hopeless=True)
    except NotWhatWasDue as exc:
        return Tried(State.UNKNOWN, response.status_code, headers, reason=str(exc), evidence=evidence(exc.data))
    except StreamBroken as exc:
        return broken_stream(exc, response.status_code, headers)
    except OSError as exc:
        reason = f"the answer came but could not be written: {exc.strerror or type(exc).__name__}"
        return Tried(State.UNKNOWN, response.status_code, headers, reason=reason, hopeless=True)
    if is_complaint(body, created=created):
        return Tried(State.REFUSED, response.status_code, headers, body, codes=codes_of(body))
    return Tried(State.DONE, response.status_code, headers, body)


def broken_stream(broken: StreamBroken, status: int, headers: dict[str, str]) -> Tried:
    """A stream that said no or lost its end; once something of it was given, another try would give it twice."""
    body = [*broken.seen, *([] if broken.complaint is None else [broken.complaint])]
    return Tried(
        broken.state,
        status,
        headers,
        body,
        reason=str(broken) or message_of(broken.complaint),
        codes=codes_of(broken.complaint),
        hopeless=bool(broken.seen),
    )


def _words(exc: httpx.TransportError) -> str:
    return str(exc) or f"the transport gave up with {type(exc).__name__}"
