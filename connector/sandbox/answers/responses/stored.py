"""Responses that were stored: retrieved, said again in a stream, listed by their input, deleted."""

from __future__ import annotations

from connector.model import JSON
from connector.sandbox.answers.responses.events import events_of
from connector.sandbox.answers.responses.memory import INPUT_ITEMS, MEMORIES, RESPONSES, RESULTS
from connector.sandbox.call import Answer, Call, Refused, World

__all__ = ["delete", "list_input", "retrieve"]

PAGE = 20


async def retrieve(call: Call, world: World) -> Answer:
    """A response as it stands now, or the whole stream of it."""
    await world.processes.settle()
    name = call.path["response_id"]
    response = world.found(RESPONSES, name)
    if not _is_true(call.query.get("stream")):
        return Answer(body=response)
    finished = world.objects.get(RESULTS, name) or response
    return Answer(events=events_of(finished, int(call.query.get("starting_after") or -1)))


def delete(call: Call, world: World) -> Answer:
    """Forgets a response with its input."""
    name = call.path["response_id"]
    if not world.objects.delete(RESPONSES, name) and not world.options.lenient:
        raise Refused(404, f"Response with id '{name}' not found.", code="not_found")
    for kind in (RESULTS, MEMORIES):
        world.objects.delete(kind, name)
    return Answer(data=b"")


def list_input(call: Call, world: World) -> Answer:
    """A page of the items that a response was made of, newest first unless it is asked for otherwise."""
    name, query = call.path["response_id"], call.query
    world.found(RESPONSES, name)
    limit, order = int(query.get("limit") or PAGE), query.get("order") or "desc"
    after = world.cursor(INPUT_ITEMS, query.get("after"), name)
    page = world.objects.page(INPUT_ITEMS, name, limit=limit, after=after, order=order)
    names = [str(item["id"]) for item in page.items] or [""]
    listed: dict[str, JSON] = {"object": "list", "data": page.items, "first_id": names[0], "last_id": names[-1]}
    return Answer(body={**listed, "has_more": page.has_more})


def _is_true(value: JSON) -> bool:
    return value in (True, "true")
