"""Undoing a content encoding piece by piece, with a stop for bombs."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterable, AsyncIterator

__all__ = ["ACCEPTED", "Unacceptable", "decompressed"]

ACCEPTED = "gzip, deflate"
PIECE = 256 * 1024
HARMLESS = 1024 * 1024
"""Below this many bytes no ratio is suspicious."""
STEEPEST = 200
"""JSON that repeats itself packs about 1:100; deflate's own limit is 1:1032."""


class Unacceptable(Exception):
    """An answer that is not read on, and why."""


def decompressed(chunks: AsyncIterable[bytes], encoding: str) -> AsyncIterable[bytes]:
    """The chunks as they were before their content encoding, never more than a piece at a time."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return chunks
    if encoding in ("gzip", "x-gzip", "deflate"):
        return _inflated(chunks, gzip=encoding != "deflate")
    raise Unacceptable(f"the answer's content encoding {encoding[:40]!r} was not asked for")


async def _inflated(chunks: AsyncIterable[bytes], *, gzip: bool) -> AsyncIterator[bytes]:
    inflater = None
    taken = given = 0
    async for chunk in chunks:
        taken += len(chunk)
        inflater = inflater or zlib.decompressobj(zlib.MAX_WBITS | 16 if gzip else _window(chunk))
        pending = chunk
        while pending and not inflater.eof:
            try:
                piece = inflater.decompress(pending, PIECE)
            except zlib.error:
                break
            pending = inflater.unconsumed_tail
            given += len(piece)
            if given > HARMLESS and given > STEEPEST * taken:
                raise Unacceptable(f"the answer unpacks to more than {STEEPEST} times its size")
            yield piece
        else:
            continue
        raise Unacceptable("the compressed answer is corrupt")
    if inflater is not None and not inflater.eof:
        raise Unacceptable("the compressed answer ends too early")


def _window(first: bytes) -> int:
    """For `deflate` servers send either a zlib or a raw stream; the first byte tells which."""
    return zlib.MAX_WBITS if first and first[0] & 0x0F == 8 else -zlib.MAX_WBITS
