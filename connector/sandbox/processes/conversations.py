"""Conversations, which grow item by item."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.model import JSON
from connector.sandbox.answers.responses.items import items_of
from connector.sandbox.call import Answer
from connector.sandbox.processes.kept import body_of, deleted, lists, retrieves, wrong

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connector.sandbox.call import Call, Handler, World

__all__ = ["HANDLERS"]

CONVERSATIONS = "conversations"
ITEMS = "conversation items"
MOST_AT_ONCE = 20


def create(call: Call, world: World) -> Answer:
    asked = body_of(call)
    made: dict[str, JSON] = {"id": world.new_id("conv_"), "object": "conversation"}
    made |= {"created_at": int(world.now()), "metadata": asked.get("metadata", {})}
    world.objects.put(CONVERSATIONS, made)
    _grow(world, made["id"], asked.get("items", []))
    return Answer(made)


def update(call: Call, world: World) -> Answer:
    known = world.found(CONVERSATIONS, call.path["conversation_id"])
    known["metadata"] = body_of(call).get("metadata", {})
    world.objects.put(CONVERSATIONS, known)
    return Answer(known)


def delete(call: Call, world: World) -> Answer:
    return deleted(call, world, CONVERSATIONS, "conversation_id", "conversation.deleted")


def add(call: Call, world: World) -> Answer:
    world.found(CONVERSATIONS, call.path["conversation_id"])
    items = _grow(world, call.path["conversation_id"], body_of(call)["items"])
    ids = [item["id"] for item in items] or [""]
    return Answer({"object": "list", "data": items, "first_id": ids[0], "last_id": ids[-1], "has_more": False})


def delete_item(call: Call, world: World) -> Answer:
    known = world.found(CONVERSATIONS, call.path["conversation_id"])
    deleted(call, world, ITEMS, "item_id", "conversation.item.deleted", "conversation_id")
    return Answer(known)


def _grow(world: World, conversation: str, given: Sequence[Mapping[str, JSON]]) -> list[dict[str, JSON]]:
    if len(given) > MOST_AT_ONCE:
        message = f"{len(given)} items were given; at most {MOST_AT_ONCE} can be added at a time."
        raise wrong(message, "items", "array_above_max_length")
    items = items_of(given, world)
    for item in items:
        world.objects.put(ITEMS, item, conversation)
    return items


CONVERSATION = "/conversations/{conversation_id}"
HANDLERS: Mapping[str, Handler] = {
    "POST /conversations": create,
    f"GET {CONVERSATION}": retrieves(CONVERSATIONS, "conversation_id"),
    f"POST {CONVERSATION}": update,
    f"DELETE {CONVERSATION}": delete,
    f"GET {CONVERSATION}/items": lists(ITEMS, (CONVERSATIONS, "conversation_id")),
    f"POST {CONVERSATION}/items": add,
    f"GET {CONVERSATION}/items/{{item_id}}": retrieves(ITEMS, "item_id", "conversation_id"),
    f"DELETE {CONVERSATION}/items/{{item_id}}": delete_item,
}
