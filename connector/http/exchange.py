"""One request and its answer: how far it got, and what that makes of whatever goes wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Protocol

import aiohttp
import httpx

from connector.http.mapping import Stale, after_sending, before_sending
from connector.http.progress import Progress
from connector.http.readable import has_news
from connector.http.upload import Upload

if TYPE_CHECKING:
    from weakref import WeakSet

    from aiohttp.connector import Connection

    from connector.http.direct import Arrived

__all__ = ["Answer", "Exchange", "Pool"]


class Pool(Protocol):
    """What is known of a transport's connections."""

    used: WeakSet[Any]
    """Those that carried a request before."""
    in_flight: int
    """Calls under way."""

    @property
    def crowded(self) -> bool:
        """Whether more calls are under way than there may be connections."""
        ...


class Exchange:
    """Maps what goes wrong with one request by how far it got."""

    __slots__ = ("_pool", "_progress", "_upload", "_where")

    def __init__(self, pool: Pool, where: str, upload: Upload | None, progress: Progress | None) -> None:
        self._pool = pool
        self._where = where
        self._upload = upload
        self._progress = progress or Progress()
        self._progress.handed_over = False

    def hand_over(self, conn: Connection) -> None:
        """From here on bytes may leave; a pooled connection that the server has closed is left untouched."""
        protocol, transport = conn.protocol, conn.transport
        used = self._pool.used
        if protocol is None or transport is None or transport.is_closing():
            raise Stale
        if protocol not in used:
            used.add(protocol)
        elif has_news(transport):
            raise Stale
        if self._upload is not None:
            self._upload.abort = transport.abort
        self._progress.handed_over = True

    def told(self, exc: Exception) -> Exception:
        """The exception that tells how far the request got."""
        upload = self._upload
        if upload is not None and upload.failure is not None:
            return upload.failure
        if not self._progress.handed_over:
            return before_sending(exc, where=self._where, queueing=self._pool.crowded)
        uploading = upload is not None and not upload.finished
        return after_sending(exc, where=self._where, uploading=uploading, stalled=upload is not None and upload.stalled)


class Answer(httpx.AsyncByteStream):
    """An answer's status and headers, and its bytes as they arrive, still compressed."""

    def __init__(self, pool: Pool, response: aiohttp.ClientResponse | Arrived, exchange: Exchange) -> None:
        self._pool = pool
        self._response = response
        self._exchange = exchange
        self._open = True
        self.status = response.status
        self.headers = list(response.raw_headers)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        content = self._response.content
        while True:
            try:
                chunk = await content.readany()
            except (aiohttp.ClientError, OSError) as exc:
                failure = self._exchange.told(exc)
            else:
                if not chunk:
                    return
                yield chunk
                continue
            raise failure

    def at_once(self) -> bytes | None:
        """The bytes, when all of them have arrived already; they do not come again."""
        content = self._response.content
        return content.read_nowait() if content.is_eof() and content.exception() is None else None

    async def aclose(self) -> None:
        if self._open:
            self._open = False
            self._pool.in_flight -= 1
            # An answer read to its end has given its connection back already; any other one is worth no more.
            self._response.close()
