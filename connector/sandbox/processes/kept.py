"""Reading, listing and deleting what is stored, in the API's words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from connector.model import JSON
from connector.sandbox.call import Answer, Refused

if TYPE_CHECKING:
    from connector.sandbox.call import Call, Handler, World

__all__ = ["body_of", "conflict", "deleted", "listed", "lists", "parent_of", "retrieves", "settled", "wrong"]

Where = Callable[[Mapping[str, JSON]], bool]


def settled(handler: Handler) -> Handler:
    """The handler, called when all that is due by now has happened."""

    async def after(call: Call, world: World) -> Answer:
        await world.processes.settle()
        answer = handler(call, world)
        return await answer if isawaitable(answer) else answer

    return after


def body_of(call: Call) -> dict[str, Any]:
    """The members of the payload that say something."""
    payload: Mapping[str, JSON] = call.payload or {}
    return {name: value for name, value in payload.items() if value is not None}


def parent_of(call: Call, *names: str) -> str:
    """The ids of the objects that one lives in, as the store joins them."""
    return "/".join(call.path[name] for name in names)


def retrieves(kind: str, name: str, *above: str) -> Handler:
    """A handler that gives the stored object."""

    def retrieve(call: Call, world: World) -> Answer:
        return Answer(world.found(kind, call.path[name], parent_of(call, *above)))

    return retrieve


def lists(
    kind: str, *above: tuple[str, str], order: str = "desc", where: Callable[[Call], Where] | None = None
) -> Handler:
    """A handler that lists what is stored below the objects whose kinds and path names stand in `above`."""

    def answer(call: Call, world: World) -> Answer:
        parent = ""
        for over, name in above:
            world.found(over, call.path[name], parent)
            parent = f"{parent}/{call.path[name]}".strip("/")
        return listed(call, world, kind, parent, order=order, where=where(call) if where else None)

    return answer


def listed(
    call: Call, world: World, kind: str, parent: str = "", *, order: str = "desc", where: Where | None = None
) -> Answer:
    """One page of a list, as the query's cursor and limit ask."""
    query = call.query
    declared: Mapping[str, Any] = call.operation.query.get("limit") or {}
    page = world.objects.page(
        kind,
        parent,
        limit=int(query.get("limit") or declared.get("default") or 20),
        after=world.cursor(kind, query.get("after"), parent),
        before=world.cursor(kind, query.get("before"), parent),
        order=query.get("order") or order,
        where=where,
    )
    first, last = (page.items[0]["id"], page.items[-1]["id"]) if page.items else ("", "")
    return Answer({"object": "list", "data": page.items, "first_id": first, "last_id": last, "has_more": page.has_more})


def deleted(call: Call, world: World, kind: str, name: str, tag: str, *above: str) -> Answer:
    """The object is gone; the answer says so under the tag that the API has for it."""
    parent = parent_of(call, *above)
    world.found(kind, call.path[name], parent)
    world.objects.delete(kind, call.path[name], parent)
    return Answer({"id": call.path[name], "object": tag, "deleted": True})


def wrong(message: str, param: str | None = None, code: str | None = None) -> Refused:
    """The refusal of a request that cannot be right."""
    return Refused(400, message, param=param, code=code)


def conflict(message: str) -> Refused:
    """The refusal of what an object's state does not allow."""
    return Refused(409, message, type="invalid_request_error")
