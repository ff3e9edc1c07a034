"""Small valid sounds of every format, as long as the text would take to say."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from connector.sandbox.answers.sounds.aac import aac
from connector.sandbox.answers.sounds.flac import flac
from connector.sandbox.answers.sounds.mp3 import mp3
from connector.sandbox.answers.sounds.opus import opus
from connector.sandbox.answers.sounds.pcm import pcm, wav

__all__ = ["seconds_of", "sound_of"]

WRITERS: Mapping[str, tuple[Callable[[float], bytes], str]] = {
    "mp3": (mp3, "audio/mpeg"),
    "opus": (opus, "audio/ogg"),
    "aac": (aac, "audio/aac"),
    "flac": (flac, "audio/flac"),
    "wav": (wav, "audio/wav"),
    "pcm": (pcm, "audio/pcm"),
    "pcm16": (pcm, "audio/pcm"),
}
A_SECOND = 15
"""Characters said in one second."""
SHORTEST, LONGEST = 0.1, 10.0
"""Longer texts are cut, so that files stay small."""


def seconds_of(text: str, speed: float = 1) -> float:
    """How long a text takes to say here."""
    return min(LONGEST, max(SHORTEST, len(text) / A_SECOND / speed))


def sound_of(text: str, form: str, speed: float = 1) -> tuple[bytes, str]:
    """A sound of that length and format, and its content type."""
    write, content_type = WRITERS.get(form, WRITERS["mp3"])
    return write(seconds_of(text, speed)), content_type
