"""Pictures in PNG: two colours in bands, a bit per pixel."""

from __future__ import annotations

import struct
import zlib

__all__ = ["png"]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
BANDS = 8


def png(width: int, height: int, colour: tuple[int, int, int]) -> bytes:
    """Bands of the colour and of white."""
    size = (width + 7) // 8
    # Each row begins with its filter, which is none.
    bands = (b"\0" + (b"\xff" if row * BANDS // height % 2 else b"\0") * size for row in range(height))
    return b"".join(
        (
            SIGNATURE,
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 3, 0, 0, 0)),
            _chunk(b"PLTE", bytes(colour) + b"\xff\xff\xff"),
            _chunk(b"IDAT", zlib.compress(b"".join(bands))),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
