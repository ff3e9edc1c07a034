"""Videos in MP4: one JPEG picture shown for their whole length."""

from __future__ import annotations

import struct

from connector.sandbox.models.media.jpeg import encode_jpeg

__all__ = ["encode_mp4"]

SCALE = 1000
"""Units of time in a second."""
MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
"""Neither rotated nor scaled."""


def encode_mp4(width: int, height: int, seconds: int, colour: tuple[int, int, int]) -> bytes:
    """Return a video of one track with one sample."""
    shown = encode_jpeg(width, height, colour)
    kind = _box(b"ftyp", b"isom\0\0\2\0isomiso2mp41")
    data = _box(b"mdat", shown)
    place = len(kind) + 8
    length = seconds * SCALE
    head = struct.pack(">4xIIIIIH10x", 0, 0, SCALE, length, 0x10000, 0x100) + MATRIX + bytes(24) + struct.pack(">I", 2)
    film = _box(b"moov", _box(b"mvhd", head), _track(width, height, length, len(shown), place))
    return kind + data + film


def _track(width: int, height: int, length: int, size: int, place: int) -> bytes:
    shape = struct.pack(">II", width << 16, height << 16)
    head = struct.pack(">BxxBIIIII8xHHHH", 0, 3, 0, 0, 1, 0, length, 0, 0, 0, 0) + MATRIX + shape
    time = struct.pack(">4xIIIIHH", 0, 0, SCALE, length, 0x55C4, 0)
    handler = struct.pack(">4xI4s12x", 0, b"vide") + b"sandbox\0"
    here = _box(b"dref", struct.pack(">4xI", 1), _box(b"url ", b"\0\0\0\1"))
    information = _box(
        b"minf", _box(b"vmhd", struct.pack(">I8x", 1)), _box(b"dinf", here), _table(width, height, size, place, length)
    )
    media = _box(b"mdia", _box(b"mdhd", time), _box(b"hdlr", handler), information)
    return _box(b"trak", _box(b"tkhd", head), media)


def _table(width: int, height: int, size: int, place: int, length: int) -> bytes:
    """Return where the one sample stands, its size and its length."""
    entry = struct.pack(">6xH16xHHIIIH32sHh", 1, width, height, 0x480000, 0x480000, 0, 1, b"\4JPEG", 24, -1)
    return _box(
        b"stbl",
        _box(b"stsd", struct.pack(">4xI", 1), _box(b"jpeg", entry)),
        _box(b"stts", struct.pack(">4xIII", 1, 1, length)),
        _box(b"stsc", struct.pack(">4xIIII", 1, 1, 1, 1)),
        _box(b"stsz", struct.pack(">4xIII", 0, 1, size)),
        _box(b"stco", struct.pack(">4xII", 1, place)),
    )


def _box(name: bytes, *parts: bytes) -> bytes:
    data = b"".join(parts)
    return struct.pack(">I", len(data) + 8) + name + data
