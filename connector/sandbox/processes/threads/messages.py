"""The messages of a thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connector.model import JSON, is_list
from connector.sandbox.call import Answer
from connector.sandbox.processes.kept import Where, body_of, deleted, lists, retrieves
from connector.sandbox.processes.threads.active import check_idle

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connector.sandbox.call import Call, Handler, World

__all__ = ["HANDLERS", "MESSAGES", "THREADS", "keep_message", "text_of"]

THREADS = "threads"
MESSAGES = "thread messages"


def keep_message(world: World, thread_id: str, asked: Mapping[str, Any], **known: JSON) -> dict[str, Any]:
    """A message more in the thread."""
    now = int(world.now())
    made: dict[str, JSON] = {"id": world.new_id("msg_"), "object": "thread.message", "created_at": now}
    made |= {"thread_id": thread_id, "role": asked["role"], "content": _parts(asked["content"])}
    made |= {"attachments": asked.get("attachments") or [], "metadata": asked.get("metadata") or {}}
    made |= {"assistant_id": None, "run_id": None, "status": "completed", "completed_at": now}
    made |= {"incomplete_at": None, "incomplete_details": None, **known}
    world.objects.put(MESSAGES, made, thread_id)
    return made


def text_of(message: Mapping[str, Any]) -> str:
    """What a message says, without its pictures."""
    return "\n".join(part["text"]["value"] for part in message["content"] if part["type"] == "text")


def create(call: Call, world: World) -> Answer:
    world.found(THREADS, call.path["thread_id"])
    check_idle(world, call.path["thread_id"], "add messages to")
    return Answer(keep_message(world, call.path["thread_id"], body_of(call)))


def update(call: Call, world: World) -> Answer:
    known = world.found(MESSAGES, call.path["message_id"], call.path["thread_id"])
    known["metadata"] = body_of(call).get("metadata", {})
    world.objects.put(MESSAGES, known, call.path["thread_id"])
    return Answer(known)


def delete(call: Call, world: World) -> Answer:
    return deleted(call, world, MESSAGES, "message_id", "thread.message.deleted", "thread_id")


def _parts(content: JSON) -> list[JSON]:
    given = content if is_list(content) else [{"type": "text", "text": content}]
    return [_part(part) for part in given]


def _part(part: Mapping[str, JSON]) -> dict[str, JSON]:
    if part["type"] == "text" and isinstance(part["text"], str):
        return {"type": "text", "text": {"value": part["text"], "annotations": []}}
    return dict(part)


def _of_run(call: Call) -> Where:
    wanted = call.query.get("run_id")
    return lambda message: wanted in (None, message["run_id"])


MESSAGE = "/threads/{thread_id}/messages/{message_id}"
HANDLERS: Mapping[str, Handler] = {
    "GET /threads/{thread_id}/messages": lists(MESSAGES, (THREADS, "thread_id"), where=_of_run),
    "POST /threads/{thread_id}/messages": create,
    f"GET {MESSAGE}": retrieves(MESSAGES, "message_id", "thread_id"),
    f"POST {MESSAGE}": update,
    f"DELETE {MESSAGE}": delete,
}
