"""Assistants, and the resources that their tools and threads share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connector.model import JSON
from connector.sandbox.call import Answer, Refused
from connector.sandbox.processes.kept import body_of, deleted, lists, retrieves
from connector.shapes import items, members

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connector.sandbox.call import Call, Handler, World

__all__ = ["ASSISTANTS", "HANDLERS", "resources"]

ASSISTANTS = "assistants"
FIELDS: Mapping[str, JSON] = {
    "name": None,
    "description": None,
    "instructions": None,
    "tools": [],
    "metadata": {},
    "temperature": 1.0,
    "top_p": 1.0,
    "response_format": "auto",
}


async def create(call: Call, world: World) -> Answer:
    asked = body_of(call)
    made: dict[str, JSON] = {"id": world.new_id("asst_"), "object": "assistant", "created_at": int(world.now())}
    made |= {"model": asked["model"], **{name: asked.get(name, usual) for name, usual in FIELDS.items()}}
    made |= {"reasoning_effort": asked["reasoning_effort"]} if "reasoning_effort" in asked else {}
    made["tool_resources"] = await resources(world, asked.get("tool_resources"))
    world.objects.put(ASSISTANTS, made)
    return Answer(made)


async def update(call: Call, world: World) -> Answer:
    known = world.found(ASSISTANTS, call.path["assistant_id"])
    asked: Mapping[str, Any] = call.payload or {}
    known |= {name: value for name, value in asked.items() if name != "tool_resources"}
    if asked.get("tool_resources"):
        given = await resources(world, asked["tool_resources"])
        known["tool_resources"] = {**members(known.get("tool_resources")), **given}
    world.objects.put(ASSISTANTS, known)
    return Answer(known)


def delete(call: Call, world: World) -> Answer:
    return deleted(call, world, ASSISTANTS, "assistant_id", "assistant.deleted")


async def resources(world: World, asked: JSON) -> dict[str, JSON]:
    """Tool resources as they are shown; a vector store that is only described is made."""
    given = dict(members(asked))
    search = dict(members(given.get("file_search")))
    stores = items(search.pop("vector_stores", None))
    for store in stores:
        wanted = {name: store[name] for name in ("file_ids", "metadata", "chunking_strategy") if store.get(name)}
        answer = await world.call("POST", "/v1/vector_stores", wanted)
        if answer.status != 200:
            error = members(members(answer.body).get("error"))
            raise Refused(answer.status, str(error.get("message")), param="tool_resources.file_search.vector_stores")
        search["vector_store_ids"] = [*items(search.get("vector_store_ids")), answer.body["id"]]
    return {**given, **({"file_search": search} if search else {})}


HANDLERS: Mapping[str, Handler] = {
    "GET /assistants": lists(ASSISTANTS),
    "POST /assistants": create,
    "GET /assistants/{assistant_id}": retrieves(ASSISTANTS, "assistant_id"),
    "POST /assistants/{assistant_id}": update,
    "DELETE /assistants/{assistant_id}": delete,
}
