"""aiohttp's exceptions as httpx's, chosen by one question: can any byte of the request have left?

before_sending gives only ConnectError, ConnectTimeout, PoolTimeout and ProxyError; after_sending gives none of these.
An exception is a server that ends TLS on a new connection because of the client's certificate: it has read no request.
The messages are made here: aiohttp's own exceptions carry the request's headers, so none of them is kept as a cause.
"""

from __future__ import annotations

import os
import ssl
from typing import cast

import aiohttp
import httpx
from aiohttp.http_exceptions import HttpProcessingError

from connector.http.transports.base import FAILED, PERHAPS, CertificateRefused, find_certificate_alert

__all__ = ["StaleConnection", "TransportFailure", "map_after_sending", "map_before_sending"]


class StaleConnection(Exception):
    """A pooled connection turned out to be closed before anything was written to it."""


class TransportFailure(Exception):
    """What went wrong, in the words of this transport."""

    def __init__(self, failure: Exception) -> None:
        super().__init__()
        self.failure = failure


def map_before_sending(exc: Exception, *, where: str, queueing: bool = False) -> httpx.TransportError:
    """Return what a failure means before the call got hold of a connection."""
    if isinstance(exc, TimeoutError):
        if queueing:
            return httpx.PoolTimeout(f"no connection to {where} became free in time")
        return httpx.ConnectTimeout(f"no connection to {where} in time")
    if isinstance(exc, (aiohttp.ClientProxyConnectionError, aiohttp.ClientHttpProxyError)):
        return httpx.ProxyError(f"the proxy gave no connection to {where}: {_describe(exc)}")
    if isinstance(exc, (aiohttp.ClientConnectorCertificateError, aiohttp.ServerFingerprintMismatch)):
        return CertificateRefused(f"the certificate of {where} was refused: {_describe(exc)}")
    if isinstance(exc, aiohttp.ClientConnectorSSLError):
        # Its errno is OpenSSL's own, and would read as one of the system's.
        cause = cast("OSError", exc.os_error)  # pyright: ignore[reportUnknownMemberType]  aiohttp gives it no type
        reason = str(getattr(cause, "reason", "") or "the handshake failed").replace("_", " ").lower()
        if alert := find_certificate_alert(reason, where):
            return CertificateRefused(alert)
        return httpx.ConnectError(f"no TLS with {where}: {reason}{PERHAPS if reason.endswith(FAILED) else ''}")
    if isinstance(exc, aiohttp.ClientConnectorDNSError):
        return httpx.ConnectError(f"the name {where} was not found: {_describe(exc)}")
    return httpx.ConnectError(f"cannot connect to {where}: {_describe(exc)}")


def map_after_sending(
    exc: Exception, *, where: str, stalled: bool = False, uploading: bool = False, is_new: bool = False
) -> httpx.TransportError:
    """Return what a failure means after the call was handed to a connection."""
    if stalled:
        return httpx.WriteTimeout(f"{where} stopped reading the request")
    if isinstance(exc, TimeoutError):
        return httpx.ReadTimeout(f"{where} sent nothing for too long")
    if isinstance(exc, aiohttp.ServerDisconnectedError):
        return httpx.RemoteProtocolError(f"{where} closed the connection without a complete answer")
    if isinstance(exc, aiohttp.ClientPayloadError):
        return httpx.RemoteProtocolError(f"{where} closed the connection in the middle of the answer")
    if isinstance(exc, aiohttp.ClientResponseError | HttpProcessingError):
        return httpx.RemoteProtocolError(f"the answer of {where} is not HTTP: {exc.message[:200]}")
    if is_new and (alert := find_certificate_alert(exc, where)):
        return CertificateRefused(alert)
    kind = httpx.WriteError if uploading else httpx.ReadError
    return kind(f"the connection to {where} broke: {_describe(exc)}")


def _describe(exc: Exception) -> str:
    """Return the cause in a few words, without the request."""
    if isinstance(exc, aiohttp.ClientConnectorCertificateError):
        return getattr(exc.certificate_error, "verify_message", "") or type(exc.certificate_error).__name__
    if isinstance(exc, aiohttp.ClientHttpProxyError):
        return f"it answered with status {exc.status}"
    inner = exc.os_error if isinstance(exc, aiohttp.ClientConnectorError) else exc
    if isinstance(inner, ssl.SSLError) or isinstance(inner.__cause__, ssl.SSLError):
        # Their errno is OpenSSL's own, and would read as one of the system's.
        return "TLS failed: " + (str(inner.args[-1]).partition("] ")[2].partition(" (")[0] or "it broke off")
    if isinstance(inner, OSError) and inner.errno is not None and inner.errno > 0:
        return os.strerror(inner.errno).lower()
    return (getattr(inner, "strerror", None) or type(inner).__name__).lower()
