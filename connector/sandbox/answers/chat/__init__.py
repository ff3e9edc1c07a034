"""Chat completions: what a model says to messages, whole or in a stream, and those that were stored."""

from __future__ import annotations

from collections.abc import Mapping

from connector.sandbox.answers.chat.creating import create
from connector.sandbox.answers.scripted import spoken
from connector.sandbox.call import Handler

__all__ = ["HANDLERS"]

HANDLERS: Mapping[str, Handler] = {
    "POST /chat/completions": spoken(create),
}
