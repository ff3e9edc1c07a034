"""Silence in Opus, framed as Ogg."""

from __future__ import annotations

import struct

__all__ = ["opus"]

SILENT = b"\xf8\xff\xfe"
"""Twenty milliseconds of one channel."""
PACKETS_A_SECOND = 50
SAMPLES = 960
"""A packet's samples at 48,000 a second, which Ogg counts in whatever the rate."""
FIRST, LAST = 2, 4


def opus(seconds: float) -> bytes:
    """Two pages that say what follows, and one or more of silence."""
    packets = max(1, round(seconds * PACKETS_A_SECOND))
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 0, 48_000, 0, 0)
    name = b"sandbox"
    tags = b"OpusTags" + struct.pack("<I", len(name)) + name + struct.pack("<I", 0)
    pages = [_page([head], 0, 0, FIRST), _page([tags], 1, 0, 0)]
    done = 0
    while done < packets:
        size = min(packets - done, 255)
        done += size
        flag = LAST if done == packets else 0
        pages.append(_page([SILENT] * size, len(pages), done * SAMPLES, flag))
    return b"".join(pages)


def _page(packets: list[bytes], number: int, samples: int, flag: int) -> bytes:
    sizes = bytes(len(packet) for packet in packets)
    start = b"OggS" + struct.pack("<BBqII", 0, flag, samples, 1, number)
    rest = bytes((len(sizes),)) + sizes + b"".join(packets)
    checksum = _checksum(start + b"\0\0\0\0" + rest)
    return start + struct.pack("<I", checksum) + rest


def _checksum(data: bytes) -> int:
    found = 0
    for byte in data:
        found ^= byte << 24
        for _ in range(8):
            found = (found << 1 ^ 0x04C11DB7 if found & 0x80000000 else found << 1) & 0xFFFFFFFF
    return found
