"""Threads and their messages, and the lock that an active run holds on a thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.model import JSON, is_list, items, members
from connector.sandbox.backend import Backend, Handler
from connector.sandbox.messages import Answer, Request
from connector.sandbox.resources.crud import (
    Condition,
    bad_request,
    build_list_handler,
    build_retrieve_handler,
    delete_object,
    get_body,
)
from connector.sandbox.resources.threads.assistants import build_tool_resources

__all__ = [
    "HANDLERS",
    "MESSAGES",
    "THREADS",
    "add_message",
    "check_idle",
    "get_message_text",
    "lock_thread",
    "make_thread",
    "unlock_thread",
]

ACTIVE_RUNS = "sandbox active runs"
THREADS = "threads"
MESSAGES = "thread messages"


def check_idle(backend: Backend, thread_id: str, deed: str) -> None:
    """Raise ApiError for a change to a thread with an active run."""
    active = backend.objects.get(ACTIVE_RUNS, _lock_id(thread_id))
    if active is not None and not backend.options.lenient:
        raise bad_request(f"Can't {deed} {thread_id} while a run {active['run']} is active.")


def lock_thread(backend: Backend, thread_id: str, run_id: str) -> None:
    """Lock a thread for a run."""
    backend.objects.put(ACTIVE_RUNS, {"id": _lock_id(thread_id), "run": run_id})


def unlock_thread(backend: Backend, thread_id: str) -> None:
    """Release the lock of a thread."""
    backend.objects.delete(ACTIVE_RUNS, _lock_id(thread_id))


def _lock_id(thread_id: str) -> str:
    return f"on {thread_id}"  # not the thread's own id: the objects below that must stay


def add_message(backend: Backend, thread_id: str, body: Mapping[str, Any], **known: JSON) -> dict[str, Any]:
    """Add a message to a thread."""
    now = int(backend.now())
    made: dict[str, JSON] = {"id": backend.new_id("msg_"), "object": "thread.message", "created_at": now}
    made |= {"thread_id": thread_id, "role": body["role"], "content": _read_parts(body["content"])}
    made |= {"attachments": body.get("attachments") or [], "metadata": body.get("metadata") or {}}
    made |= {"assistant_id": None, "run_id": None, "status": "completed", "completed_at": now}
    made |= {"incomplete_at": None, "incomplete_details": None, **known}
    backend.objects.put(MESSAGES, made, thread_id)
    return made


def get_message_text(message: Mapping[str, Any]) -> str:
    """Return the text of a message without its pictures."""
    return "\n".join(part["text"]["value"] for part in message["content"] if part["type"] == "text")


def create_message(request: Request, backend: Backend) -> Answer:
    backend.require_object(THREADS, request.path["thread_id"])
    check_idle(backend, request.path["thread_id"], "add messages to")
    return Answer(add_message(backend, request.path["thread_id"], get_body(request)))


def update_message(request: Request, backend: Backend) -> Answer:
    known = backend.require_object(MESSAGES, request.path["message_id"], request.path["thread_id"])
    known["metadata"] = get_body(request).get("metadata", {})
    backend.objects.put(MESSAGES, known, request.path["thread_id"])
    return Answer(known)


def delete_message(request: Request, backend: Backend) -> Answer:
    return delete_object(request, backend, MESSAGES, "message_id", "thread.message.deleted", "thread_id")


def _read_parts(content: JSON) -> list[JSON]:
    given = content if is_list(content) else [{"type": "text", "text": content}]
    return [_read_part(part) for part in given]


def _read_part(part: Mapping[str, JSON]) -> dict[str, JSON]:
    if part["type"] == "text" and isinstance(part["text"], str):
        return {"type": "text", "text": {"value": part["text"], "annotations": []}}
    return dict(part)


def _by_run(request: Request) -> Condition:
    wanted = request.query.get("run_id")
    return lambda message: wanted in (None, message["run_id"])


MESSAGE = "/threads/{thread_id}/messages/{message_id}"
MESSAGE_HANDLERS: Mapping[str, Handler] = {
    "GET /threads/{thread_id}/messages": build_list_handler(MESSAGES, (THREADS, "thread_id"), where=_by_run),
    "POST /threads/{thread_id}/messages": create_message,
    f"GET {MESSAGE}": build_retrieve_handler(MESSAGES, "message_id", "thread_id"),
    f"POST {MESSAGE}": update_message,
    f"DELETE {MESSAGE}": delete_message,
}


async def make_thread(backend: Backend, body: Mapping[str, Any]) -> dict[str, Any]:
    """Create a thread with its first messages."""
    made: dict[str, JSON] = {"id": backend.new_id("thread_"), "object": "thread", "created_at": int(backend.now())}
    made |= {"metadata": body.get("metadata") or {}}
    made["tool_resources"] = await build_tool_resources(backend, body.get("tool_resources"))
    backend.objects.put(THREADS, made)
    for message in items(body.get("messages")):
        add_message(backend, made["id"], message)
    return made


async def create_thread(request: Request, backend: Backend) -> Answer:
    return Answer(await make_thread(backend, get_body(request)))


async def update_thread(request: Request, backend: Backend) -> Answer:
    known, body = backend.require_object(THREADS, request.path["thread_id"]), get_body(request)
    known |= {"metadata": body["metadata"]} if "metadata" in body else {}
    if "tool_resources" in body:
        given = await build_tool_resources(backend, body["tool_resources"])
        known["tool_resources"] = {**members(known.get("tool_resources")), **given}
    backend.objects.put(THREADS, known)
    return Answer(known)


def delete_thread(request: Request, backend: Backend) -> Answer:
    return delete_object(request, backend, THREADS, "thread_id", "thread.deleted")


HANDLERS: Mapping[str, Handler] = {
    **MESSAGE_HANDLERS,
    "POST /threads": create_thread,
    "GET /threads/{thread_id}": build_retrieve_handler(THREADS, "thread_id"),
    "POST /threads/{thread_id}": update_thread,
    "DELETE /threads/{thread_id}": delete_thread,
}
