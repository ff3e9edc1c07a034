"""Custom voices: made of a sample or of a description."""

from __future__ import annotations

from collections.abc import Mapping

from connector.model import JSON
from connector.sandbox.answers.scripted import silent
from connector.sandbox.call import Answer, Call, Handler, World

__all__ = ["HANDLERS"]

VOICES = "audio voices"


def create(call: Call, world: World) -> Answer:
    """A voice of that name; what it was made of tells its type."""
    payload: Mapping[str, JSON] = call.payload
    kind = payload.get("type") or ("prompt" if payload.get("prompt") else "audio_sample")
    made: dict[str, JSON] = {"id": world.new_id("voice_"), "object": "audio.voice", "type": kind}
    made |= {"name": payload["name"], "created_at": int(world.now())}
    world.objects.put(VOICES, made)
    return Answer(body=made)


HANDLERS: Mapping[str, Handler] = {"POST /audio/voices": silent(create)}
