"""Threads themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connector.model import JSON
from connector.sandbox.call import Answer
from connector.sandbox.processes.kept import body_of, deleted, retrieves
from connector.sandbox.processes.threads.assistants import resources
from connector.sandbox.processes.threads.messages import THREADS, keep_message
from connector.shapes import items, members

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connector.sandbox.call import Call, Handler, World

__all__ = ["HANDLERS", "make"]


async def make(world: World, asked: Mapping[str, Any]) -> dict[str, Any]:
    """A new thread with its first messages."""
    made: dict[str, JSON] = {"id": world.new_id("thread_"), "object": "thread", "created_at": int(world.now())}
    made |= {"metadata": asked.get("metadata") or {}}
    made["tool_resources"] = await resources(world, asked.get("tool_resources"))
    world.objects.put(THREADS, made)
    for message in items(asked.get("messages")):
        keep_message(world, made["id"], message)
    return made


async def create(call: Call, world: World) -> Answer:
    return Answer(await make(world, body_of(call)))


async def update(call: Call, world: World) -> Answer:
    known, asked = world.found(THREADS, call.path["thread_id"]), body_of(call)
    known |= {"metadata": asked["metadata"]} if "metadata" in asked else {}
    if "tool_resources" in asked:
        given = await resources(world, asked["tool_resources"])
        known["tool_resources"] = {**members(known.get("tool_resources")), **given}
    world.objects.put(THREADS, known)
    return Answer(known)


def delete(call: Call, world: World) -> Answer:
    return deleted(call, world, THREADS, "thread_id", "thread.deleted")


HANDLERS: Mapping[str, Handler] = {
    "POST /threads": create,
    "GET /threads/{thread_id}": retrieves(THREADS, "thread_id"),
    "POST /threads/{thread_id}": update,
    "DELETE /threads/{thread_id}": delete,
}
