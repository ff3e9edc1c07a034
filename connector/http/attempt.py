"""One attempt: a request goes to the transport, and what comes back is told without raising."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

import httpx

from connector.http.error_body import cut_excerpt, find_error_codes, find_error_message, is_error
from connector.http.response import UnacceptableBody, UnexpectedBody, decode_leniently, iter_body, read_body
from connector.http.response_headers import parse_headers
from connector.http.sse import BrokenStream
from connector.http.transports.base import NEVER_SENT, CertificateRefused
from connector.model import JSON, State

__all__ = [
    "AttemptResult",
    "BodyReader",
    "await_response",
    "judge_broken_stream",
    "make_attempt",
    "open_response",
    "read_refusal",
    "reject_protocol_switch",
]

LARGEST_REFUSAL = 1024 * 1024

Answer = TypeVar("Answer")


@dataclass(slots=True)
class AttemptResult:
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


BodyReader = Callable[[httpx.Response, dict[str, str]], Awaitable[JSON]]
"""Reads the body of an answer that says yes."""


async def make_attempt(
    transport: httpx.AsyncBaseTransport, request: httpx.Request, take: BodyReader, *, created: bool
) -> AttemptResult:
    """Sends the request and reads the whole answer."""
    response = await open_response(transport, request)
    if isinstance(response, AttemptResult):
        return response
    try:
        if response.status_code >= 300:
            return await read_refusal(response)
        return await _taken(response, take, created=created)
    finally:
        await response.aclose()


async def open_response(transport: httpx.AsyncBaseTransport, request: httpx.Request) -> httpx.Response | AttemptResult:
    """The answer as soon as its headers are there, or why there is none."""
    response = await await_response(transport.handle_async_request(request))
    if isinstance(response, AttemptResult) or response.status_code >= 200:
        return response
    await response.aclose()
    return reject_protocol_switch(response.status_code)


async def await_response(sending: Awaitable[Answer]) -> Answer | AttemptResult:
    """What a transport gives, or why it gives nothing."""
    try:
        return await sending
    except NEVER_SENT as exc:
        # Stock httpx knows no class of its own for a certificate, only OpenSSL's words.
        hopeless = isinstance(exc, CertificateRefused) or "CERTIFICATE_VERIFY_FAILED" in str(exc)
        return AttemptResult(State.NOT_SENT, reason=_words(exc), hopeless=hopeless)
    except httpx.TransportError as exc:
        return AttemptResult(State.UNKNOWN, reason=_words(exc))
    except OSError as exc:
        reason = f"the body of the request could not be read: {exc.strerror or type(exc).__name__}"
        return AttemptResult(State.UNKNOWN, reason=reason, hopeless=True)


def reject_protocol_switch(status: int) -> AttemptResult:
    """What an answer below 200 comes to that is the last: a protocol that was not asked for."""
    reason = f"the server answered {status} and left HTTP, which was not asked for"
    return AttemptResult(State.UNKNOWN, status, reason=reason)


async def read_refusal(response: httpx.Response) -> AttemptResult:
    """An answer that says no; what it says is read as far as it goes."""
    headers = parse_headers(response)
    try:
        data = await read_body(iter_body(response, headers), LARGEST_REFUSAL)
    except (httpx.TransportError, UnacceptableBody):
        data = b""
    body = decode_leniently(data, headers.get("content-type", "")) if data else None
    text = data.decode(errors="replace")
    return AttemptResult(State.REFUSED, response.status_code, headers, body, codes=find_error_codes(body), text=text)


async def _taken(response: httpx.Response, take: BodyReader, *, created: bool) -> AttemptResult:
    """An answer that says yes, unless its body says otherwise."""
    headers = parse_headers(response)
    try:
        body = await take(response, headers)
    except httpx.TransportError as exc:
        return AttemptResult(State.UNKNOWN, response.status_code, headers, reason=_words(exc))
    except UnacceptableBody as exc:
        return AttemptResult(State.UNKNOWN, response.status_code, headers, reason=str(exc), hopeless=True)
    except UnexpectedBody as exc:
        return AttemptResult(
            State.UNKNOWN, response.status_code, headers, reason=str(exc), evidence=cut_excerpt(exc.data)
        )
    except BrokenStream as exc:
        return judge_broken_stream(exc, response.status_code, headers)
    except OSError as exc:
        reason = f"the answer came but could not be written: {exc.strerror or type(exc).__name__}"
        return AttemptResult(State.UNKNOWN, response.status_code, headers, reason=reason, hopeless=True)
    if is_error(body, created=created):
        return AttemptResult(State.REFUSED, response.status_code, headers, body, codes=find_error_codes(body))
    return AttemptResult(State.DONE, response.status_code, headers, body)


def judge_broken_stream(broken: BrokenStream, status: int, headers: dict[str, str]) -> AttemptResult:
    """A stream that said no or lost its end; once something of it was given, another try would give it twice."""
    body = [*broken.seen, *([] if broken.complaint is None else [broken.complaint])]
    return AttemptResult(
        broken.state,
        status,
        headers,
        body,
        reason=str(broken) or find_error_message(broken.complaint),
        codes=find_error_codes(broken.complaint),
        hopeless=bool(broken.seen),
    )


def _words(exc: httpx.TransportError) -> str:
    return str(exc) or f"the transport gave up with {type(exc).__name__}"
