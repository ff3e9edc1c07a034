"""Small valid sounds of every format, as long as their text takes to say."""

from __future__ import annotations

import io
import math
import struct
import wave
from collections.abc import Callable, Mapping

__all__ = ["estimate_seconds", "synthesize"]

AAC_SILENCE = bytes((0x00, 0xC8, 0x00, 0x80, 0x23, 0x80))
"""One channel without any spectrum, and the end of the frame."""
AAC_FRAMES_A_SECOND = 24_000 / 1024
FLAC_RATE = 24_000
FLAC_BLOCK = 4096
"""Samples in a frame."""
MP3_HEADER = b"\xff\xfb\x14\xc4"
"""Layer III, 32 kbit/s, 48,000 samples a second, one channel, no checksum."""
MP3_FRAME = 96
"""Bytes a frame: 144 times the bits a second by the samples a second."""
MP3_FRAMES_A_SECOND = 48_000 / 1152
OPUS_SILENCE = b"\xf8\xff\xfe"
"""Twenty milliseconds of one channel."""
OPUS_PACKETS_A_SECOND = 50
OPUS_SAMPLES = 960
"""A packet's samples at 48,000 a second, which is Ogg's unit at every rate."""
OGG_FIRST, OGG_LAST = 2, 4
PCM_RATE = 24_000
PCM_TONE = 240
"""Waves a second; a hundred samples make one, so that a tone is one wave over and over."""
PCM_AMPLITUDE = 3000


def encode_aac(seconds: float) -> bytes:
    """Return frames of 1,024 silent samples at 24,000 a second."""
    size = 7 + len(AAC_SILENCE)
    # Sync word, MPEG-4, no checksum; low complexity, rate 6, one channel; the frame's size; a buffer of variable rate.
    fields = ((0xFFF1, 16), (1, 2), (6, 4), (0, 1), (1, 3), (0, 4), (size, 13), (0x7FF, 11), (0, 2))
    number = 0
    for value, bits in fields:
        number = number << bits | value
    return (number.to_bytes(7) + AAC_SILENCE) * max(1, round(seconds * AAC_FRAMES_A_SECOND))


def encode_flac(seconds: float) -> bytes:
    """Return frames of one constant sample."""
    frames = max(1, round(seconds * FLAC_RATE / FLAC_BLOCK))
    # Sizes of blocks; sizes of frames unknown; rate, channels, bits, samples; no checksum of the samples.
    about = FLAC_RATE << 44 | (1 - 1) << 41 | (16 - 1) << 36 | frames * FLAC_BLOCK
    info = struct.pack(">HH", FLAC_BLOCK, FLAC_BLOCK) + b"\0" * 6 + about.to_bytes(8) + b"\0" * 16
    head = b"fLaC" + bytes((0x80, 0, 0, len(info))) + info
    return head + b"".join(_flac_frame(number) for number in range(frames))


def _flac_frame(number: int) -> bytes:
    # Sync with fixed size; 4,096 samples at the stream's rate; one channel of 16 bits; the number, which is below 128.
    head = bytes((0xFF, 0xF8, 0xC0, 0x08, number))
    head += bytes((_flac_checksum(head, 0x07, 8),))
    body = head + b"\0\0\0"
    return body + _flac_checksum(body, 0x8005, 16).to_bytes(2)


def _flac_checksum(data: bytes, polynomial: int, bits: int) -> int:
    found, top = 0, 1 << (bits - 1)
    for byte in data:
        found ^= byte << (bits - 8)
        for _ in range(8):
            found = (found << 1 ^ polynomial if found & top else found << 1) & ((1 << bits) - 1)
    return found


def encode_mp3(seconds: float) -> bytes:
    """Return frames without any data."""
    return MP3_HEADER.ljust(MP3_FRAME, b"\0") * max(1, round(seconds * MP3_FRAMES_A_SECOND))


def encode_opus(seconds: float) -> bytes:
    """Return two header pages, and one or more of silence."""
    packets = max(1, round(seconds * OPUS_PACKETS_A_SECOND))
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 0, 48_000, 0, 0)
    name = b"sandbox"
    tags = b"OpusTags" + struct.pack("<I", len(name)) + name + struct.pack("<I", 0)
    pages = [_ogg_page([head], 0, 0, OGG_FIRST), _ogg_page([tags], 1, 0, 0)]
    done = 0
    while done < packets:
        size = min(packets - done, 255)
        done += size
        flag = OGG_LAST if done == packets else 0
        pages.append(_ogg_page([OPUS_SILENCE] * size, len(pages), done * OPUS_SAMPLES, flag))
    return b"".join(pages)


def _ogg_page(packets: list[bytes], number: int, samples: int, flag: int) -> bytes:
    sizes = bytes(len(packet) for packet in packets)
    start = b"OggS" + struct.pack("<BBqII", 0, flag, samples, 1, number)
    rest = bytes((len(sizes),)) + sizes + b"".join(packets)
    checksum = _ogg_checksum(start + b"\0\0\0\0" + rest)
    return start + struct.pack("<I", checksum) + rest


def _ogg_checksum(data: bytes) -> int:
    found = 0
    for byte in data:
        found ^= byte << 24
        for _ in range(8):
            found = (found << 1 ^ 0x04C11DB7 if found & 0x80000000 else found << 1) & 0xFFFFFFFF
    return found


def encode_pcm(seconds: float) -> bytes:
    """Return samples at the API's rate: 24,000 a second, one channel, the low byte first."""
    size = PCM_RATE // PCM_TONE
    wave_of = [round(PCM_AMPLITUDE * math.sin(2 * math.pi * place / size)) for place in range(size)]
    return struct.pack(f"<{size}h", *wave_of) * max(1, round(seconds * PCM_TONE))


def encode_wav(seconds: float) -> bytes:
    """Return the samples in a WAV file."""
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(PCM_RATE)
        file.writeframes(encode_pcm(seconds))
    return written.getvalue()


ENCODERS: Mapping[str, tuple[Callable[[float], bytes], str]] = {
    "mp3": (encode_mp3, "audio/mpeg"),
    "opus": (encode_opus, "audio/ogg"),
    "aac": (encode_aac, "audio/aac"),
    "flac": (encode_flac, "audio/flac"),
    "wav": (encode_wav, "audio/wav"),
    "pcm": (encode_pcm, "audio/pcm"),
    "pcm16": (encode_pcm, "audio/pcm"),
}
CHARACTERS_A_SECOND = 15
"""Characters said in one second."""
SHORTEST, LONGEST = 0.1, 10.0
"""Longer texts are cut, so that files stay small."""


def estimate_seconds(text: str, speed: float = 1) -> float:
    """Return how long a text takes to say."""
    return min(LONGEST, max(SHORTEST, len(text) / CHARACTERS_A_SECOND / speed))


def synthesize(text: str, format_name: str, speed: float = 1) -> tuple[bytes, str]:
    """Return a sound as long as a text in a format, and its content type."""
    write, content_type = ENCODERS.get(format_name, ENCODERS["mp3"])
    return write(estimate_seconds(text, speed)), content_type
