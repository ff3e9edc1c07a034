"""What models say: text, vectors, verdicts, pictures, videos and sounds, always the same for the same request."""

from __future__ import annotations

from collections.abc import Mapping

from connector.sandbox.answers import (
    chat,
    completions,
    embeddings,
    hearing,
    images,
    moderations,
    realtime,
    responses,
    speech,
    videos,
    voices,
)
from connector.sandbox.call import Handler

__all__ = ["HANDLERS"]

HANDLERS: Mapping[str, Handler] = {
    **chat.HANDLERS,
    **completions.HANDLERS,
    **embeddings.HANDLERS,
    **hearing.HANDLERS,
    **images.HANDLERS,
    **moderations.HANDLERS,
    **realtime.HANDLERS,
    **responses.HANDLERS,
    **speech.HANDLERS,
    **videos.HANDLERS,
    **voices.HANDLERS,
}
"""By the operation's name on the wire."""
