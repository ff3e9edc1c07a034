"""Speech: a sound as long as the text takes to say, whole or in a stream."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping

from connector.model import JSON
from connector.sandbox.answers.scripted import silent
from connector.sandbox.answers.sounds import seconds_of, sound_of
from connector.sandbox.answers.tokens import count
from connector.sandbox.call import Answer, Call, Event, Handler, World

__all__ = ["HANDLERS"]

BLOCK = 4096
"""Bytes of sound in one event."""
TOKENS_A_SECOND = 20


def create(call: Call, _: World) -> Answer:
    """The sound of a text."""
    payload: Mapping[str, JSON] = call.payload
    speed = payload.get("speed") or 1
    data, content_type = sound_of(payload["input"], str(payload.get("response_format") or "mp3"), speed)
    if payload.get("stream_format") == "sse":
        return Answer(events=_events(data, count(payload["input"]), seconds_of(payload["input"], speed)))
    return Answer(data=data, content_type=content_type)


def _events(data: bytes, heard: int, seconds: float) -> Iterator[Event]:
    for start in range(0, len(data), BLOCK):
        block = base64.b64encode(data[start : start + BLOCK]).decode()
        yield Event({"type": "speech.audio.delta", "audio": block}, "speech.audio.delta")
    said = max(1, round(seconds * TOKENS_A_SECOND))
    usage = {"input_tokens": heard, "output_tokens": said, "total_tokens": heard + said}
    yield Event({"type": "speech.audio.done", "usage": usage}, "speech.audio.done")


HANDLERS: Mapping[str, Handler] = {"POST /audio/speech": silent(create)}
