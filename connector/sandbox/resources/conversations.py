"""Conversations, which grow item by item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connector.model import JSON
from connector.sandbox.backend import Backend, Handler
from connector.sandbox.messages import Answer, Request
from connector.sandbox.models.responses.history import read_items
from connector.sandbox.resources.crud import (
    bad_request,
    build_list_handler,
    build_retrieve_handler,
    delete_object,
    get_body,
)

__all__ = ["HANDLERS"]

CONVERSATIONS = "conversations"
ITEMS = "conversation items"
MOST_AT_ONCE = 20


def create_conversation(request: Request, backend: Backend) -> Answer:
    body = get_body(request)
    made: dict[str, JSON] = {"id": backend.new_id("conv_"), "object": "conversation"}
    made |= {"created_at": int(backend.now()), "metadata": body.get("metadata", {})}
    backend.objects.put(CONVERSATIONS, made)
    _append_items(backend, made["id"], body.get("items", []))
    return Answer(made)


def update_conversation(request: Request, backend: Backend) -> Answer:
    known = backend.require_object(CONVERSATIONS, request.path["conversation_id"])
    known["metadata"] = get_body(request).get("metadata", {})
    backend.objects.put(CONVERSATIONS, known)
    return Answer(known)


def delete_conversation(request: Request, backend: Backend) -> Answer:
    return delete_object(request, backend, CONVERSATIONS, "conversation_id", "conversation.deleted")


def add_items(request: Request, backend: Backend) -> Answer:
    backend.require_object(CONVERSATIONS, request.path["conversation_id"])
    items = _append_items(backend, request.path["conversation_id"], get_body(request)["items"])
    ids = [item["id"] for item in items] or [""]
    return Answer({"object": "list", "data": items, "first_id": ids[0], "last_id": ids[-1], "has_more": False})


def delete_item(request: Request, backend: Backend) -> Answer:
    known = backend.require_object(CONVERSATIONS, request.path["conversation_id"])
    delete_object(request, backend, ITEMS, "item_id", "conversation.item.deleted", "conversation_id")
    return Answer(known)


def _append_items(backend: Backend, conversation: str, given: Sequence[Mapping[str, JSON]]) -> list[dict[str, JSON]]:
    if len(given) > MOST_AT_ONCE:
        message = f"{len(given)} items were given; at most {MOST_AT_ONCE} can be added at a time."
        raise bad_request(message, "items", "array_above_max_length")
    items = read_items(given, backend)
    for item in items:
        backend.objects.put(ITEMS, item, conversation)
    return items


CONVERSATION = "/conversations/{conversation_id}"
HANDLERS: Mapping[str, Handler] = {
    "POST /conversations": create_conversation,
    f"GET {CONVERSATION}": build_retrieve_handler(CONVERSATIONS, "conversation_id"),
    f"POST {CONVERSATION}": update_conversation,
    f"DELETE {CONVERSATION}": delete_conversation,
    f"GET {CONVERSATION}/items": build_list_handler(ITEMS, (CONVERSATIONS, "conversation_id")),
    f"POST {CONVERSATION}/items": add_items,
    f"GET {CONVERSATION}/items/{{item_id}}": build_retrieve_handler(ITEMS, "item_id", "conversation_id"),
    f"DELETE {CONVERSATION}/items/{{item_id}}": delete_item,
}
