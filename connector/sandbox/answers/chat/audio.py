"""The spoken form of a chat completion."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from connector.model import JSON
from connector.sandbox.answers.sounds import sound_of
from connector.sandbox.call import World
from connector.shapes import members

__all__ = ["audio_of"]

LIFE = 3600
"""Seconds for which a spoken answer can be referred to."""


def audio_of(text: str, payload: Mapping[str, JSON], world: World) -> dict[str, JSON]:
    """The audio of a message: a sound of the wanted format, and what it would say."""
    wanted: Mapping[str, JSON] = members(payload.get("audio"))
    data, _ = sound_of(text, str(wanted.get("format", "wav")))
    made: dict[str, JSON] = {"id": world.new_id("audio_"), "expires_at": int(world.now()) + LIFE}
    return {**made, "data": base64.b64encode(data).decode(), "transcript": text}
