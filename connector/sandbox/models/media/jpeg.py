"""JPEG pictures of one colour, and MP4 videos that show one for their whole length."""

from __future__ import annotations

import struct

__all__ = ["encode_jpeg", "encode_mp4"]

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
    """Return the offset of the only sample, its size and its length."""
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
