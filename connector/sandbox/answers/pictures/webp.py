"""Pictures in WebP: one colour without loss, which takes no bits per pixel."""

from __future__ import annotations

import struct

__all__ = ["webp"]


def webp(width: int, height: int, colour: tuple[int, int, int]) -> bytes:
    """A picture that is the colour everywhere."""
    data = b"\x2f" + _bits(width, height, colour)
    chunk = b"VP8L" + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def _bits(width: int, height: int, colour: tuple[int, int, int]) -> bytes:
    red, green, blue = colour
    # Values and how many bits each takes, the lowest first: sizes, no alpha, version; no transform, cache or groups.
    fields = [(width - 1, 14), (height - 1, 14), (0, 1), (0, 3), (0, 1), (0, 1), (0, 1)]
    # Of each channel a code with one symbol, for which nothing has to be written.
    for symbol in (green, red, blue, 255):
        fields += [(1, 1), (0, 1), (1, 1), (symbol, 8)]
    fields += [(1, 1), (0, 1), (0, 1), (0, 1)]
    number, place = 0, 0
    for value, size in fields:
        number |= value << place
        place += size
    return number.to_bytes((place + 7) // 8, "little")
