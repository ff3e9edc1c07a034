"""Handlers that retrieve, list and delete stored objects, and the errors they share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import isawaitable
from typing import Any

from connector.model import JSON, members
from connector.sandbox.backend import Backend, Handler
from connector.sandbox.messages import Answer, ApiError, Request

__all__ = [
    "Condition",
    "bad_request",
    "build_list_handler",
    "build_retrieve_handler",
    "conflict",
    "delete_object",
    "get_body",
    "list_objects",
]

Condition = Callable[[Mapping[str, JSON]], bool]


def after_due_timers(handler: Handler) -> Handler:
    """Return the handler, called after all timers that are due."""

    async def after(request: Request, backend: Backend) -> Answer:
        await backend.scheduler.run_due()
        answer = handler(request, backend)
        return await answer if isawaitable(answer) else answer

    return after


def get_body(request: Request) -> dict[str, Any]:
    """Return the members of the payload that are not null."""
    payload: Mapping[str, JSON] = request.payload or {}
    return {name: value for name, value in payload.items() if value is not None}


def get_parent(request: Request, *names: str) -> str:
    """Return the ids of the objects above, joined as the store joins them."""
    return "/".join(request.path[name] for name in names)


def build_retrieve_handler(kind: str, name: str, *above: str) -> Handler:
    """Return a handler that answers with the stored object."""

    def retrieve(request: Request, backend: Backend) -> Answer:
        return Answer(backend.require_object(kind, request.path[name], get_parent(request, *above)))

    return retrieve


def build_list_handler(
    kind: str, *above: tuple[str, str], order: str = "desc", where: Callable[[Request], Condition] | None = None
) -> Handler:
    """Return a handler that lists objects below those whose kinds and path names are in `above`."""

    def answer(request: Request, backend: Backend) -> Answer:
        parent = ""
        for over, name in above:
            backend.require_object(over, request.path[name], parent)
            parent = f"{parent}/{request.path[name]}".strip("/")
        return list_objects(request, backend, kind, parent, order=order, where=where(request) if where else None)

    return answer


def list_objects(
    request: Request,
    backend: Backend,
    kind: str,
    parent: str = "",
    *,
    order: str = "desc",
    where: Condition | None = None,
) -> Answer:
    """Return one page of a list by the query's cursor and limit."""
    query = request.query
    declared = members(request.operation.query.get("limit"))
    page = backend.objects.page(
        kind,
        parent,
        limit=int(query.get("limit") or declared.get("default") or 20),
        after=backend.resolve_cursor(kind, query.get("after"), parent),
        before=backend.resolve_cursor(kind, query.get("before"), parent),
        order=query.get("order") or order,
        where=where,
    )
    first, last = (page.items[0]["id"], page.items[-1]["id"]) if page.items else ("", "")
    return Answer({"object": "list", "data": page.items, "first_id": first, "last_id": last, "has_more": page.has_more})


def delete_object(request: Request, backend: Backend, kind: str, name: str, tag: str, *above: str) -> Answer:
    """Delete an object, and return the answer with the API's tag for it."""
    parent = get_parent(request, *above)
    backend.require_object(kind, request.path[name], parent)
    backend.objects.delete(kind, request.path[name], parent)
    return Answer({"id": request.path[name], "object": tag, "deleted": True})


def bad_request(message: str, param: str | None = None, code: str | None = None) -> ApiError:
    """Return the error for an invalid request."""
    return ApiError(400, message, param=param, code=code)


def conflict(message: str) -> ApiError:
    """Return the error for a request that the object's state does not allow."""
    return ApiError(409, message, type="invalid_request_error")
