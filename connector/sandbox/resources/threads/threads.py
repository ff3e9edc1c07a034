"""Threads: created, updated, deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.model import JSON, items, members
from connector.sandbox.backend import Backend, Handler
from connector.sandbox.messages import Answer, Request
from connector.sandbox.resources.crud import build_retrieve_handler, delete_object, get_body
from connector.sandbox.resources.threads.assistants import build_tool_resources
from connector.sandbox.resources.threads.messages import THREADS, add_message

__all__ = ["HANDLERS", "make_thread"]


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
    "POST /threads": create_thread,
    "GET /threads/{thread_id}": build_retrieve_handler(THREADS, "thread_id"),
    "POST /threads/{thread_id}": update_thread,
    "DELETE /threads/{thread_id}": delete_thread,
}
