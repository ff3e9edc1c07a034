"""Transcriptions and translations of sounds."""

from __future__ import annotations

from collections.abc import Mapping

from connector.sandbox.answers.hearing.writing import transcribe, translate
from connector.sandbox.answers.scripted import spoken
from connector.sandbox.call import Handler

__all__ = ["HANDLERS"]

HANDLERS: Mapping[str, Handler] = {
    "POST /audio/transcriptions": spoken(transcribe),
    "POST /audio/translations": spoken(translate),
}
