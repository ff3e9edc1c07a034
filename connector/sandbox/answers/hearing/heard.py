"""What is heard in a sound: a file of text is read aloud, any other is named."""

from __future__ import annotations

import io
import re
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from connector.sandbox.answers.sounds import seconds_of
from connector.sandbox.call import Upload

__all__ = ["Heard", "Segment", "heard_in"]

SENTENCE = re.compile(r"\S.*?(?:[.!?](?=\s)|$)", re.DOTALL)
LONGEST = 100_000
"""A file longer than this is never read aloud."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of what was heard, with its times in seconds."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard, and how long it took."""

    text: str
    seconds: float

    @property
    def segments(self) -> Sequence[Segment]:
        """The sentences, each as long as its share of the characters."""
        return self._timed(SENTENCE.findall(self.text))

    @property
    def words(self) -> Sequence[Segment]:
        """The words, timed alike."""
        return self._timed(self.text.split())

    def _timed(self, texts: Sequence[str]) -> Sequence[Segment]:
        whole, done, found = sum(map(len, texts)) or 1, 0, list[Segment]()
        for text in texts:
            start, done = done, done + len(text)
            found.append(Segment(text, self._time(start / whole), self._time(done / whole)))
        return found

    def _time(self, share: float) -> float:
        return round(self.seconds * share, 2)


def heard_in(file: Upload, scripted: str | None = None) -> Heard:
    """What is heard in a file: what the script says, the text that the file is, else its name."""
    text = scripted if scripted is not None else _aloud(file.data) or _named(file.filename)
    return Heard(text, _seconds(file.data) or round(seconds_of(text), 2))


def _aloud(data: bytes) -> str:
    if len(data) > LONGEST:
        return ""
    try:
        text = data.decode().strip()
    except UnicodeDecodeError:
        return ""
    return text if text.replace("\n", " ").isprintable() else ""


def _named(filename: str) -> str:
    words = " ".join(re.findall(r"[^\W_]+", PurePath(filename).stem)) or "a sound"
    return f"This is what was heard in {words}."


def _seconds(data: bytes) -> float:
    """How long a WAV file says it is."""
    try:
        with wave.open(io.BytesIO(data)) as file:
            return float(round(file.getnframes() / file.getframerate(), 2))
    except (wave.Error, EOFError, ZeroDivisionError):
        return 0.0
