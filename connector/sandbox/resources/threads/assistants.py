"""Assistants, and the tool resources that they share with threads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.model import JSON, items, members
from connector.sandbox.backend import Backend, Handler
from connector.sandbox.messages import Answer, ApiError, Request
from connector.sandbox.resources.crud import build_list_handler, build_retrieve_handler, delete_object, get_body

__all__ = ["ASSISTANTS", "HANDLERS", "build_tool_resources"]

ASSISTANTS = "assistants"
DEFAULTS: Mapping[str, JSON] = {
    "name": None,
    "description": None,
    "instructions": None,
    "tools": [],
    "metadata": {},
    "temperature": 1.0,
    "top_p": 1.0,
    "response_format": "auto",
}


async def create_assistant(request: Request, backend: Backend) -> Answer:
    body = get_body(request)
    made: dict[str, JSON] = {"id": backend.new_id("asst_"), "object": "assistant", "created_at": int(backend.now())}
    made |= {"model": body["model"], **{name: body.get(name, default) for name, default in DEFAULTS.items()}}
    made |= {"reasoning_effort": body["reasoning_effort"]} if "reasoning_effort" in body else {}
    made["tool_resources"] = await build_tool_resources(backend, body.get("tool_resources"))
    backend.objects.put(ASSISTANTS, made)
    return Answer(made)


async def update_assistant(request: Request, backend: Backend) -> Answer:
    known = backend.require_object(ASSISTANTS, request.path["assistant_id"])
    body: Mapping[str, Any] = request.payload or {}
    known |= {name: value for name, value in body.items() if name != "tool_resources"}
    if body.get("tool_resources"):
        given = await build_tool_resources(backend, body["tool_resources"])
        known["tool_resources"] = {**members(known.get("tool_resources")), **given}
    backend.objects.put(ASSISTANTS, known)
    return Answer(known)


def delete_assistant(request: Request, backend: Backend) -> Answer:
    return delete_object(request, backend, ASSISTANTS, "assistant_id", "assistant.deleted")


async def build_tool_resources(backend: Backend, body: JSON) -> dict[str, JSON]:
    """Return tool resources as they are shown, and create the vector stores that they describe."""
    given = dict(members(body))
    search = dict(members(given.get("file_search")))
    stores = items(search.pop("vector_stores", None))
    for store in stores:
        wanted = {name: store[name] for name in ("file_ids", "metadata", "chunking_strategy") if store.get(name)}
        answer = await backend.call("POST", "/v1/vector_stores", wanted)
        if answer.status != 200:
            error = members(members(answer.body).get("error"))
            raise ApiError(answer.status, str(error.get("message")), param="tool_resources.file_search.vector_stores")
        search["vector_store_ids"] = [*items(search.get("vector_store_ids")), answer.body["id"]]
    return {**given, **({"file_search": search} if search else {})}


HANDLERS: Mapping[str, Handler] = {
    "GET /assistants": build_list_handler(ASSISTANTS),
    "POST /assistants": create_assistant,
    "GET /assistants/{assistant_id}": build_retrieve_handler(ASSISTANTS, "assistant_id"),
    "POST /assistants/{assistant_id}": update_assistant,
    "DELETE /assistants/{assistant_id}": delete_assistant,
}
