"""Pictures in GIF: a screen of the wanted size with one pixel drawn."""

from __future__ import annotations

import struct

__all__ = ["gif"]

PIXEL = b"\x02\x02\x44\x01\x00"
"""Codes of two bits: begin, colour 0, end."""


def gif(width: int, height: int, colour: tuple[int, int, int]) -> bytes:
    """A screen whose background is the colour."""
    screen = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(colour) + b"\xff\xff\xff"
    return screen + b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + PIXEL + b";"
