"""Silence in AAC, framed as ADTS."""

from __future__ import annotations

__all__ = ["aac"]

SILENT = bytes((0x00, 0xC8, 0x00, 0x80, 0x23, 0x80))
"""One channel without any spectrum, and the end of the frame."""
FRAMES_A_SECOND = 24_000 / 1024


def aac(seconds: float) -> bytes:
    """Frames of 1,024 samples at 24,000 a second."""
    size = 7 + len(SILENT)
    # Sync word, MPEG-4, no checksum; low complexity, rate 6, one channel; the frame's size; a buffer of variable rate.
    fields = ((0xFFF1, 16), (1, 2), (6, 4), (0, 1), (1, 3), (0, 4), (size, 13), (0x7FF, 11), (0, 2))
    number = 0
    for value, bits in fields:
        number = number << bits | value
    return (number.to_bytes(7) + SILENT) * max(1, round(seconds * FRAMES_A_SECOND))
