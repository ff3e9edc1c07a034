"""Pictures in JPEG: one colour, set by the first block and kept by all others."""

from __future__ import annotations

import struct

__all__ = ["encode_jpeg"]

QUANTUM = 8
"""The unit of a block's first coefficient; the others are zero, so it is the level itself."""
DC_SIZES = bytes((1, 0, 0, 0, 8, *[0] * 11))
"""One code of one bit, for no change, and eight of five bits, for changes of one to eight bits."""
AC_SIZES = bytes((1, *[0] * 15))
"""The only code: the end of a block."""
BLOCK = 16
"""A unit is four blocks of brightness and one for each difference of colour."""
UNIT_BITS = 12
"""Six blocks without change, two bits each."""


def encode_jpeg(width: int, height: int, colour: tuple[int, int, int]) -> bytes:
    """Return a picture of one colour."""
    frame = struct.pack(">BHHB", 8, height, width, 3) + bytes((1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0))
    return b"".join(
        (
            b"\xff\xd8",
            _segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"),
            _segment(0xDB, b"\0" + bytes([QUANTUM] * 64)),
            _segment(0xC0, frame),
            _segment(0xC4, b"\0" + DC_SIZES + bytes(range(9)) + b"\x10" + AC_SIZES + b"\0"),
            _segment(0xDA, bytes((3, 1, 0, 2, 0, 3, 0, 0, 63, 0))),
            _scan(width, height, colour),
            b"\xff\xd9",
        )
    )


def _scan(width: int, height: int, colour: tuple[int, int, int]) -> bytes:
    brightness, blue, red = _levels(colour)
    first = f"{_change(brightness)}0000000{_change(blue)}0{_change(red)}0"
    units = -(-width // BLOCK) * -(-height // BLOCK)
    bits = first + "0" * (UNIT_BITS * (units - 1))
    bits += "1" * (-len(bits) % 8)
    data = int(bits, 2).to_bytes(len(bits) // 8)
    return data.replace(b"\xff", b"\xff\0")


def _levels(colour: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return brightness and the two differences of colour, about zero."""
    red, green, blue = colour
    brightness = 0.299 * red + 0.587 * green + 0.114 * blue
    levels = (brightness - 128, (blue - brightness) * 0.564, (red - brightness) * 0.713)
    return tuple(max(-128, min(127, round(level))) for level in levels)  # type: ignore[return-value]  # three stay three


def _change(level: int) -> str:
    """Return the bits of a change of level: how many there are, and the bits; a negative one counts from below."""
    if level == 0:
        return "0"
    size = abs(level).bit_length()
    code = 0b10000 + size - 1
    return f"{code:05b}{level if level > 0 else level + (1 << size) - 1:0{size}b}"


def _segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data
