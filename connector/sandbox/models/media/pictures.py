"""Small valid pictures of any size and format, in a colour chosen by their prompt."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Mapping

from connector.model import JSON
from connector.sandbox.messages import ApiError
from connector.sandbox.models.media.jpeg import encode_jpeg, encode_mp4
from connector.sandbox.models.seeded_random import SeededRandom

__all__ = ["draw_picture", "parse_size", "render_video"]

SIZE_PATTERN = re.compile(r"(\d{1,5})x(\d{1,5})")
LONGEST_SIDE = 4096
DEFAULT_SIZE = (1024, 1024)
GIF_PIXEL = b"\x02\x02\x44\x01\x00"
"""Codes of two bits: begin, colour 0, end."""
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PNG_BANDS = 8


def parse_size(size: JSON) -> tuple[int, int]:
    """Return width and height; a square by default."""
    if size in (None, "auto"):
        return DEFAULT_SIZE
    found = SIZE_PATTERN.fullmatch(str(size))
    width, height = (int(side) for side in found.groups()) if found else (0, 0)
    if not (0 < width <= LONGEST_SIDE and 0 < height <= LONGEST_SIDE):
        message = f"Invalid value: '{size}'. Sizes are WIDTHxHEIGHT, at most {LONGEST_SIDE} each, or 'auto'."
        raise ApiError(400, message, param="size", code="invalid_value")
    return width, height


def encode_gif(width: int, height: int, colour: tuple[int, int, int]) -> bytes:
    """Return a picture whose background is the colour."""
    screen = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(colour) + b"\xff\xff\xff"
    return screen + b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + GIF_PIXEL + b";"


def encode_png(width: int, height: int, colour: tuple[int, int, int]) -> bytes:
    """Return bands of the colour and of white."""
    size = (width + 7) // 8
    # Each row begins with its filter, which is none.
    bands = (b"\0" + (b"\xff" if row * PNG_BANDS // height % 2 else b"\0") * size for row in range(height))
    return b"".join(
        (
            PNG_SIGNATURE,
            _png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 3, 0, 0, 0)),
            _png_chunk(b"PLTE", bytes(colour) + b"\xff\xff\xff"),
            _png_chunk(b"IDAT", zlib.compress(b"".join(bands))),
            _png_chunk(b"IEND", b""),
        )
    )


def _png_chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def encode_svg(width: int, height: int, colour: tuple[int, int, int]) -> bytes:
    """Return a rectangle of the colour."""
    shape = f'<rect width="{width}" height="{height}" fill="#{bytes(colour).hex()}"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">{shape}</svg>'.encode()


def encode_webp(width: int, height: int, colour: tuple[int, int, int]) -> bytes:
    """Return a picture of one colour."""
    data = b"\x2f" + _webp_bits(width, height, colour)
    chunk = b"VP8L" + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def _webp_bits(width: int, height: int, colour: tuple[int, int, int]) -> bytes:
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


Colour = tuple[int, int, int]
CONTENT_TYPES = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "svg": "image/svg+xml",
}
ENCODERS: Mapping[str, Callable[[int, int, Colour], bytes]] = {
    "png": encode_png, "jpeg": encode_jpeg, "webp": encode_webp, "gif": encode_gif, "svg": encode_svg,
}  # fmt: skip


def draw_picture(prompt: str, width: int, height: int, format_name: str = "png") -> bytes:
    """Return a picture of a width and height in the colour of its prompt."""
    return ENCODERS[format_name](width, height, _choose_colour(prompt))


def render_video(prompt: str, width: int, height: int, seconds: int) -> bytes:
    """Return a video of a width, height and length in the colour of its prompt."""
    return encode_mp4(width, height, seconds, _choose_colour(prompt))


def _choose_colour(prompt: str) -> Colour:
    rng = SeededRandom(prompt)
    return rng.integer("red", 256), rng.integer("green", 256), rng.integer("blue", 256)
