"""Each action's answer: the objects of the sandbox, in the shape that the operation gives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from connector.model import Request
from connector.request.switch import plain_kind, streams
from connector.sandbox.call import Answer, Call, Event, World
from connector.sandbox.generic.changing import changed
from connector.sandbox.generic.keeping import created, deleted, retrieved
from connector.sandbox.generic.listing import listed
from connector.sandbox.generic.places import Places
from connector.sandbox.generic.reports import reported

__all__ = ["answer"]

Answering = Callable[[Call, World, Places], Answer]
ACTIONS: Mapping[str, Answering] = {"list": listed, "retrieve": retrieved, "create": created, "delete": deleted}


def answer(call: Call, world: World) -> Answer:
    """What an operation without a handler of its own answers."""
    places, operation = world.made(Places), call.operation
    if "bucket_width" in operation.query:
        return reported(call, world)
    if not world.options.lenient:
        for kind, name, parent in places.above(operation, call.path):
            world.found(kind, name, parent)
    if _is_stream(call):
        return Answer(events=[Event(world.shaper.event(operation))])
    act = changed if operation.on else ACTIONS[operation.action]
    return _sent(act(call, world, places), call)


def _is_stream(call: Call) -> bool:
    kinds = call.operation.answer
    asked = Request(query=call.query, payload=call.payload)
    return "events" in kinds and (len(kinds) == 1 or streams(call.operation, asked))


def _sent(answer: Answer, call: Call) -> Answer:
    """The answer in the form that the operation gives it."""
    kind = plain_kind(call.operation)
    if kind == "empty":
        return Answer(data=b"")
    return Answer(data=b"", content_type="text/plain") if kind == "text" else answer
