"""One attempt: a request goes to the transport; what comes back is a result, never an exception."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable
from typing import TypeVar

import httpx

from connector.http.attempt_result import AttemptResult
from connector.http.call import Call
from connector.http.dispatch import NOTHING, begin_direct, send_call
from connector.http.identity import IdentityFailed
from connector.http.raw_response import RawResponse
from connector.http.response import (
    UnacceptableBody,
    UnexpectedBody,
    cut_excerpt,
    decode_leniently,
    find_error_codes,
    find_error_message,
    is_error,
    iter_body,
    parse_header_lines,
    parse_headers,
    read_body,
)
from connector.http.sse import BrokenStream
from connector.http.transports.base import FAILED, NEVER_SENT, PERHAPS, CertificateRefused, find_certificate_alert
from connector.model import State

__all__ = [
    "await_response",
    "judge_broken_stream",
    "make_attempt",
    "open_response",
    "read_refusal",
    "reject_protocol_switch",
]

LARGEST_REFUSAL = 1024 * 1024

Answer = TypeVar("Answer")


async def make_attempt(transport: httpx.AsyncBaseTransport, call: Call) -> AttemptResult:
    """Send a call and read the whole answer."""
    direct = begin_direct(transport, call)
    if direct is None:
        response = await open_response(transport, call)
    elif (answer := await direct.wait()) is not None:
        plain = RawResponse(answer.status, [], NOTHING, lambda: answer.body)
        return await _read_success(plain, parse_header_lines(answer.lines), call)
    else:
        response = await _open(direct.resume())
    if isinstance(response, AttemptResult):
        return response
    try:
        if response.status >= 300:
            return await read_refusal(response)
        return await _read_success(response, parse_headers(response.headers), call)
    finally:
        await response.stream.aclose()


async def open_response(transport: httpx.AsyncBaseTransport, call: Call) -> RawResponse | AttemptResult:
    """Return the response as soon as its headers are there, or why there is none."""
    return await _open(send_call(transport, call, call.headers))


async def _open(sending: Awaitable[RawResponse]) -> RawResponse | AttemptResult:
    response = await await_response(sending)
    if isinstance(response, AttemptResult) or response.status >= 200:
        return response
    await response.stream.aclose()
    return reject_protocol_switch(response.status)


async def await_response(sending: Awaitable[Answer]) -> Answer | AttemptResult:
    """Return what a transport gives, or why it gives nothing."""
    try:
        return await sending
    except (httpx.TransportError, ssl.SSLError) as exc:
        return _judge_failure(exc)
    except OSError as exc:
        reason = f"the body of the request could not be read: {exc.strerror or type(exc).__name__}"
        return AttemptResult(State.UNKNOWN, reason=reason, is_final=True)


def _judge_failure(exc: httpx.TransportError | ssl.SSLError) -> AttemptResult:
    """Return the result of a request without an answer."""
    # Stock httpx has no words of its own for TLS, only OpenSSL's, and lets some of its errors through.
    if alert := find_certificate_alert(exc, "the server"):
        state = State.NOT_SENT if isinstance(exc, NEVER_SENT) else State.UNKNOWN
        return AttemptResult(state, reason=alert, is_final=True)
    if isinstance(exc, ssl.SSLError):
        return AttemptResult(State.UNKNOWN, reason=f"TLS broke off: {exc.reason or type(exc).__name__}")
    if isinstance(exc, NEVER_SENT):
        is_final = isinstance(exc, CertificateRefused) or "CERTIFICATE_VERIFY_FAILED" in str(exc)
        is_final = is_final or (isinstance(exc, IdentityFailed) and exc.is_final)
        return AttemptResult(State.NOT_SENT, reason=_describe(exc), is_final=is_final)
    return AttemptResult(State.UNKNOWN, reason=_describe(exc))


def reject_protocol_switch(status: int) -> AttemptResult:
    """Return the result of a last answer below 200: a protocol that was not asked for."""
    reason = f"the server answered {status} and left HTTP, which was not asked for"
    return AttemptResult(State.UNKNOWN, status, reason=reason)


async def read_refusal(response: RawResponse) -> AttemptResult:
    """Read a response that is no success, as far as its body goes."""
    headers = parse_headers(response.headers)
    try:
        data = await read_body(iter_body(response.stream, headers), LARGEST_REFUSAL)
    except (httpx.TransportError, UnacceptableBody):
        data = b""
    body = decode_leniently(data, headers.get("content-type", "")) if data else None
    text = data.decode(errors="replace")
    return AttemptResult(State.REFUSED, response.status, headers, body, codes=find_error_codes(body), text=text)


async def _read_success(response: RawResponse, headers: dict[str, str], call: Call) -> AttemptResult:
    """Read a success, unless its body says otherwise."""
    try:
        body = await call.read_response(response, headers)
    except httpx.TransportError as exc:
        return AttemptResult(State.UNKNOWN, response.status, headers, reason=_describe(exc))
    except UnacceptableBody as exc:
        return AttemptResult(State.UNKNOWN, response.status, headers, reason=str(exc), is_final=True)
    except UnexpectedBody as exc:
        return AttemptResult(State.UNKNOWN, response.status, headers, reason=str(exc), evidence=cut_excerpt(exc.data))
    except BrokenStream as exc:
        return judge_broken_stream(exc, response.status, headers)
    except OSError as exc:
        reason = f"the answer came but could not be written: {exc.strerror or type(exc).__name__}"
        return AttemptResult(State.UNKNOWN, response.status, headers, reason=reason, is_final=True)
    if is_error(body, created=call.creates_entity):
        return AttemptResult(State.REFUSED, response.status, headers, body, codes=find_error_codes(body))
    return AttemptResult(State.DONE, response.status, headers, body)


def judge_broken_stream(broken: BrokenStream, status: int, headers: dict[str, str]) -> AttemptResult:
    """Return the result of a stream that said no or lost its end; once data was given, a retry would give it twice."""
    body = [*broken.seen, *([] if broken.complaint is None else [broken.complaint])]
    return AttemptResult(
        broken.state,
        status,
        headers,
        body,
        reason=str(broken) or find_error_message(broken.complaint),
        codes=find_error_codes(broken.complaint),
        is_final=bool(broken.seen),
    )


def _describe(exc: httpx.TransportError) -> str:
    if "SSL" in str(exc) and FAILED in str(exc):
        return f"{exc}{PERHAPS}"
    return str(exc) or f"the transport gave up with {type(exc).__name__}"
