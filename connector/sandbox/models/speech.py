"""Speech as long as its text takes to say, and custom voices."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping

from connector.model import JSON
from connector.sandbox.backend import Backend, Handler
from connector.sandbox.messages import Answer, Event, Request
from connector.sandbox.models.media.sounds import estimate_seconds, synthesize
from connector.sandbox.models.script_handlers import with_scripted_body
from connector.sandbox.models.tokens import count_tokens

__all__ = ["HANDLERS"]

BLOCK_BYTES = 4096
"""Bytes of sound in one event."""
TOKENS_A_SECOND = 20
VOICES = "audio voices"


def create_speech(request: Request, _: Backend) -> Answer:
    """Return the sound of a text, whole or in a stream."""
    payload: Mapping[str, JSON] = request.payload
    speed = payload.get("speed") or 1
    characters, tokens = len(payload["input"]), _count_usage(payload["input"], payload.get("speed") or 1)
    data, content_type = synthesize(payload["input"], str(payload.get("response_format") or "mp3"), speed)
    if payload.get("stream_format") == "sse":
        return Answer(events=_stream_events(data, tokens), used={**tokens, "characters": characters})
    return Answer(data=data, content_type=content_type, used={**tokens, "characters": characters})


def _count_usage(text: str, speed: float) -> dict[str, int]:
    given, made = count_tokens(text), max(1, round(estimate_seconds(text, speed) * TOKENS_A_SECOND))
    return {"input_tokens": given, "output_tokens": made, "total_tokens": given + made}


def _stream_events(data: bytes, usage: Mapping[str, JSON]) -> Iterator[Event]:
    for start in range(0, len(data), BLOCK_BYTES):
        block = base64.b64encode(data[start : start + BLOCK_BYTES]).decode()
        yield Event({"type": "speech.audio.delta", "audio": block}, "speech.audio.delta")
    yield Event({"type": "speech.audio.done", "usage": usage}, "speech.audio.done")


def create_voice(request: Request, backend: Backend) -> Answer:
    """Return a voice; its type is a prompt or an audio sample."""
    payload: Mapping[str, JSON] = request.payload
    kind = payload.get("type") or ("prompt" if payload.get("prompt") else "audio_sample")
    made: dict[str, JSON] = {"id": backend.new_id("voice_"), "object": "audio.voice", "type": kind}
    made |= {"name": payload["name"], "created_at": int(backend.now())}
    backend.objects.put(VOICES, made)
    return Answer(body=made)


HANDLERS: Mapping[str, Handler] = {
    "POST /audio/speech": with_scripted_body(create_speech),
    "POST /audio/voices": with_scripted_body(create_voice),
}
