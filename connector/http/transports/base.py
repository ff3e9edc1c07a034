"""What transports have in common: the progress of a request, its body on the way out, exceptions and TLS."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterable, AsyncIterator, Callable
from dataclasses import dataclass

import httpx

from connector.errors import ConfigurationError

__all__ = ["NEVER_SENT", "CertificateRefused", "Progress", "Upload", "make_tls_context", "split_body"]

NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)
"""Exceptions that mean that not one byte of the request left."""
PIECE = 64 * 1024


@dataclass(slots=True)
class Progress:
    """How far a request got: noted by the transport, read by the client when time runs out."""

    handed_over: bool | None = None
    """Whether an open connection got hold of the request; a transport that does not say leaves None."""


class CertificateRefused(httpx.ConnectError):
    """The server did not prove who it is; trying again cannot help."""


class Upload:
    """The pieces of one body; a server that takes none of them for too long has its connection aborted."""

    def __init__(self, source: AsyncIterable[bytes], idle: float | None) -> None:
        self._source = source
        self._idle = idle
        self.abort: Callable[[], None] | None = None
        self.finished = False
        self.stalled = False
        self.failure: Exception | None = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        try:
            async for piece in self._source:
                watch = loop.call_later(self._idle, self._give_up) if self._idle else None
                try:
                    yield piece
                finally:
                    if watch is not None:
                        watch.cancel()
        except Exception as exc:
            self.failure = exc
            raise
        self.finished = True

    def _give_up(self) -> None:
        self.stalled = True
        if self.abort is not None:
            self.abort()


async def split_body(data: bytes) -> AsyncIterator[bytes]:
    """Yield a body from memory in pieces, so that a stalled reader is noticed."""
    view = memoryview(data)
    for start in range(0, len(view), PIECE):
        yield bytes(view[start : start + PIECE])


def make_tls_context(ca_bundle: str | None = None) -> ssl.SSLContext:
    """Return a context that trusts the given bundle, or else certifi's; certificates are always checked."""
    if ca_bundle is None:
        import certifi

        return ssl.create_default_context(cafile=certifi.where())
    try:
        return ssl.create_default_context(cafile=ca_bundle)
    except OSError as error:
        reason = error.strerror or "it holds no certificate"
    raise ConfigurationError(f"ca_bundle: cannot use {ca_bundle!r}: {reason}")
