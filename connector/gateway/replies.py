"""An answer that is written to its connection while it comes."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from multidict import CIMultiDict

if TYPE_CHECKING:
    from aiohttp.http import StreamWriter

__all__ = ["Reply", "stays_open"]

PHRASES = {status.value: status.phrase for status in HTTPStatus}
EMPTY = (204, 304)


def stays_open(request: web.BaseRequest) -> bool:
    """Whether another request may follow on this connection.

    None follows a body in chunks: aiohttp's parser takes the trailers of such a body for headers of the next request.
    """
    return request.keep_alive and "transfer-encoding" not in request.headers


class Reply(web.StreamResponse):
    """Writes head and pieces as they are; what aiohttp would add to the headers of an answer is upstream's business."""

    def __init__(self, request: web.BaseRequest, status: int, headers: CIMultiDict[str]) -> None:
        super().__init__(status=status)
        self._asked = request
        self._out = cast("StreamWriter", request.writer)
        self._given = headers
        self.begun = False
        self.size = 0
        self._empty = request.method == "HEAD" or status in EMPTY

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter:  # noqa: ARG002  aiohttp's signature
        return self._out

    async def begin(self) -> None:
        """The head; it leaves with the first piece."""
        self.begun = True
        request, headers, out = self._asked, self._given, self._out
        persistent = stays_open(request)
        if not self._empty and "content-length" not in headers:
            if request.version >= (1, 1):
                headers["Transfer-Encoding"] = "chunked"
                out.enable_chunking()
            else:
                persistent = False
        self._keep_alive = persistent
        if not persistent:
            headers["Connection"] = "close"
        elif request.version < (1, 1):
            headers["Connection"] = "keep-alive"
        await out.write_headers(f"HTTP/1.1 {self.status} {PHRASES.get(self.status, '')}", headers)

    async def pass_on(self, piece: bytes) -> None:
        """One piece of the body."""
        if not self.begun:
            await self.begin()
        if self._empty:
            return
        self.size += len(piece)
        await self._out.write(piece, drain=False)
        if self._asked.protocol.writing_paused:
            await self._out.drain()

    async def end(self) -> None:
        """Nothing more comes."""
        if not self.begun:
            await self.begin()
        await self._out.write_eof()

    def break_off(self) -> None:
        """The caller learns that this is not the whole answer: the connection ends before the body does."""
        self._keep_alive = False
        transport = self._asked.transport
        if transport is None:
            return
        if self._out_is_framed:
            transport.close()
        else:
            transport.abort()

    @property
    def _out_is_framed(self) -> bool:
        """Whether a body that ends too early looks as if it did."""
        return "content-length" in self._given or "transfer-encoding" in self._given

    async def write_eof(self, data: bytes = b"") -> None:
        """aiohttp's end of the answer, which is there already."""
