"""What was heard as subtitles."""

from __future__ import annotations

from connector.sandbox.answers.hearing.heard import Heard

__all__ = ["srt", "vtt"]


def srt(heard: Heard) -> str:
    """Numbered subtitles, milliseconds after a comma."""
    times = ((f"{_clock(one.start)} --> {_clock(one.end)}".replace(".", ","), one.text) for one in heard.segments)
    return "".join(f"{number}\n{time}\n{text}\n\n" for number, (time, text) in enumerate(times, 1))


def vtt(heard: Heard) -> str:
    """The form of the web."""
    parts = (f"{_clock(one.start)} --> {_clock(one.end)}\n{one.text}\n\n" for one in heard.segments)
    return "WEBVTT\n\n" + "".join(parts)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours:02}:{minutes:02}:{rest:06.3f}"
