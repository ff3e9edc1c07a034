"""Chat completions that were stored: kept with their messages, listed by model and metadata."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connector.model import JSON, is_document, is_list
from connector.sandbox.answers.said import content_text
from connector.sandbox.call import Answer, Call, World
from connector.shapes import members

__all__ = ["keep", "listed"]

COMPLETIONS, MESSAGES = "chat completions", "chat completion messages"
PAGE = 20


def keep(completion: dict[str, JSON], payload: Mapping[str, JSON], world: World) -> None:
    """Stores a completion and the messages that led to it."""
    completion["metadata"] = members(payload.get("metadata"))
    world.objects.put(COMPLETIONS, completion)
    messages: Sequence[Mapping[str, JSON]] = payload["messages"]
    for index, message in enumerate(messages):
        kept = _kept(message, f"{completion['id']}-{index}")
        world.objects.put(MESSAGES, kept, completion["id"])


def listed(call: Call, world: World) -> Answer:
    """A page of the stored completions, oldest first unless it is asked for otherwise."""
    query = call.query
    page = world.objects.page(
        COMPLETIONS,
        limit=int(query.get("limit") or PAGE),
        after=query.get("after"),
        order=query.get("order") or "asc",
        where=lambda completion: _is_wanted(completion, query),
    )
    ends = {
        "first_id": page.items[0]["id"] if page.items else "",
        "last_id": page.items[-1]["id"] if page.items else "",
    }
    return Answer(body={"object": "list", "data": page.items, **ends, "has_more": page.has_more})


def _is_wanted(completion: Mapping[str, JSON], query: Mapping[str, JSON]) -> bool:
    wanted: JSON = query.get("metadata")
    asked: Mapping[str, JSON] = wanted if is_document(wanted) else {}
    known: Mapping[str, JSON] = members(completion.get("metadata"))
    same_model = query.get("model") in (None, completion["model"])
    return same_model and all(known.get(name) == value for name, value in asked.items())


def _kept(message: Mapping[str, JSON], name: str) -> dict[str, JSON]:
    content = message.get("content")
    parts = content if is_list(content) else None
    kept = {"id": name, "role": message["role"], "content": content_text(content), "content_parts": parts}
    called = {"tool_calls": message["tool_calls"]} if message.get("tool_calls") else {}
    return {**kept, "refusal": message.get("refusal"), **called}
