"""A soft tone as samples of 16 bits, bare or in a WAV file."""

from __future__ import annotations

import io
import math
import struct
import wave

__all__ = ["RATE", "pcm", "wav"]

RATE = 24_000
TONE = 240
"""Waves a second; a hundred samples make one, so that a tone is one wave over and over."""
LOUD = 3000


def pcm(seconds: float) -> bytes:
    """Samples at the rate that the API speaks with: 24,000 a second, one channel, the low byte first."""
    size = RATE // TONE
    wave_of = [round(LOUD * math.sin(2 * math.pi * place / size)) for place in range(size)]
    return struct.pack(f"<{size}h", *wave_of) * max(1, round(seconds * TONE))


def wav(seconds: float) -> bytes:
    """The same as a WAV file."""
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(pcm(seconds))
    return written.getvalue()
