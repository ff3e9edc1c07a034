"""Chat completions that are stored, with the messages that led to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connector.model import JSON, is_list
from connector.sandbox.answers.said import content_text
from connector.sandbox.call import World
from connector.shapes import members

__all__ = ["keep"]

COMPLETIONS, MESSAGES = "chat completions", "chat completion messages"


def keep(completion: dict[str, JSON], payload: Mapping[str, JSON], world: World) -> None:
    """Stores a completion and the messages that led to it."""
    completion["metadata"] = members(payload.get("metadata"))
    world.objects.put(COMPLETIONS, completion)
    messages: Sequence[Mapping[str, JSON]] = payload["messages"]
    for index, message in enumerate(messages):
        kept = _kept(message, f"{completion['id']}-{index}")
        world.objects.put(MESSAGES, kept, completion["id"])


def _kept(message: Mapping[str, JSON], name: str) -> dict[str, JSON]:
    content = message.get("content")
    parts = content if is_list(content) else None
    kept = {"id": name, "role": message["role"], "content": content_text(content), "content_parts": parts}
    called = {"tool_calls": message["tool_calls"]} if message.get("tool_calls") else {}
    return {**kept, "refusal": message.get("refusal"), **called}
