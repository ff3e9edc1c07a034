"""What transports have in common: the progress of a request, its body on the way out, and exceptions."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterable, AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial

import httpx

__all__ = [
    "FAILED",
    "IN_ONE_PIECE",
    "NEVER_SENT",
    "PERHAPS",
    "CertificateRefused",
    "Progress",
    "Upload",
    "find_certificate_alert",
    "split_body",
]

NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)
"""Exceptions that mean that not one byte of the request left."""
ALERT = re.compile(r"(?i)\b(?:tlsv1|tlsv13|sslv3)[ _]alert[ _]([a-z]+(?:[ _][a-z]+)*)")
OF_CERTIFICATES = frozenset({
    "access denied", "bad certificate", "certificate expired", "certificate revoked", "certificate unknown",
    "unknown ca", "unsupported certificate",
})  # fmt: skip
FAILED = "handshake failure"
PERHAPS = "; it may demand a client certificate, see the parameter certificate"
PIECE = 64 * 1024
IN_ONE_PIECE = PIECE
"""A body up to this size is written at once; a larger one in pieces, so that a stalled reader is noticed."""


@dataclass(slots=True)
class Progress:
    """How far a request got: noted by the transport, read by the client when time runs out."""

    handed_over: bool | None = None
    """Whether an open connection got hold of the request; a transport that does not say leaves None."""


class CertificateRefused(httpx.ConnectError):
    """The server did not prove who it is, or wants another proof of the client; trying again cannot help."""


def find_certificate_alert(failure: object, where: str) -> str:
    """Return what a server says of the client's certificate when it ends TLS; empty if it ends for another reason.

    Such a server has read nothing: it judges the certificate before the first byte of the request.
    """
    found = ALERT.search(str(failure))
    alert = found[1].replace("_", " ").lower().strip() if found is not None else ""
    if alert == "certificate required":
        return f"{where} demands a client certificate: give the client's parameter certificate"
    if alert in OF_CERTIFICATES:
        return (
            f"{where} refused the client certificate, or the lack of one, as {alert!r}: check the parameter certificate"
        )
    return ""


class Upload:
    """The pieces of one body; a server that takes none of them for too long has its connection aborted."""

    def __init__(
        self,
        source: AsyncIterable[bytes] | bytes,
        idle: float | None,
        restart: Callable[[], AsyncIterable[bytes]] | None = None,
    ) -> None:
        self._source = split_body(source) if isinstance(source, bytes) else source
        self._restart = partial(split_body, source) if isinstance(source, bytes) else restart
        self._idle = idle
        self.abort: Callable[[], None] | None = None
        self.finished = False
        self.stalled = False
        self.failure: Exception | None = None

    def start_again(self) -> Upload | None:
        """Return the same body from its start; None when its pieces come only once."""
        return None if self._restart is None else Upload(self._restart(), self._idle, self._restart)

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
