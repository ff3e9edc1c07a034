"""Silence in FLAC."""

from __future__ import annotations

import struct

__all__ = ["flac"]

RATE = 24_000
SIZE = 4096
"""Samples in a frame."""


def flac(seconds: float) -> bytes:
    """Frames that are one constant sample."""
    frames = max(1, round(seconds * RATE / SIZE))
    # Sizes of blocks; sizes of frames unknown; rate, channels, bits, samples; no checksum of the samples.
    about = RATE << 44 | (1 - 1) << 41 | (16 - 1) << 36 | frames * SIZE
    info = struct.pack(">HH", SIZE, SIZE) + b"\0" * 6 + about.to_bytes(8) + b"\0" * 16
    head = b"fLaC" + bytes((0x80, 0, 0, len(info))) + info
    return head + b"".join(_frame(number) for number in range(frames))


def _frame(number: int) -> bytes:
    # Sync with fixed size; 4,096 samples at the stream's rate; one channel of 16 bits; the number, which is below 128.
    head = bytes((0xFF, 0xF8, 0xC0, 0x08, number))
    head += bytes((_checksum(head, 0x07, 8),))
    body = head + b"\0\0\0"
    return body + _checksum(body, 0x8005, 16).to_bytes(2)


def _checksum(data: bytes, polynomial: int, bits: int) -> int:
    found, top = 0, 1 << (bits - 1)
    for byte in data:
        found ^= byte << (bits - 8)
        for _ in range(8):
            found = (found << 1 ^ polynomial if found & top else found << 1) & ((1 << bits) - 1)
    return found
