"""A long conversation made short, and its length in tokens."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from connector.model import JSON
from connector.sandbox.answers.responses.building import usage_of
from connector.sandbox.answers.responses.items import item_tokens, items_of, said_in
from connector.sandbox.answers.responses.memory import Memory
from connector.sandbox.answers.tokens import count
from connector.sandbox.call import Answer, Call, World
from connector.shapes import members

__all__ = ["compact", "count_input"]

SUMMARY = 200
"""Characters of what was said last that a summary keeps."""


def compact(call: Call, world: World) -> Answer:
    """One item in place of all that was said."""
    payload: Mapping[str, JSON] = members(call.payload)
    heard, items = _heard(payload, world)
    summary = base64.b64encode(said_in(items)[0][:SUMMARY].encode()).decode()
    made = {"id": world.new_id("cmp_"), "type": "compaction", "encrypted_content": summary}
    head = {"id": world.new_id("resp_"), "object": "response.compaction", "created_at": int(world.now())}
    return Answer(body={**head, "output": [made], "usage": usage_of(heard, count(summary), 0)})


def count_input(call: Call, world: World) -> Answer:
    """How many tokens a request would be taken for."""
    heard, _ = _heard(members(call.payload), world)
    return Answer(body={"object": "response.input_tokens", "input_tokens": heard})


def _heard(payload: Mapping[str, JSON], world: World) -> tuple[int, list[dict[str, JSON]]]:
    memory = Memory.before(payload, world)
    items = items_of(payload.get("input"), world)
    said = sum(item_tokens(item) for item in items) + count(str(payload.get("instructions") or ""))
    return memory.tokens + said, items
