"""What a call asks for: its body, what is known of it, and what the call may use."""

from __future__ import annotations

from dataclasses import dataclass

from connector.gateway.bodies import known_of, received
from connector.gateway.calls import Call
from connector.gateway.contents import Share, content_of, whole
from connector.gateway.weight import BYTES_PER_FILE_TOKEN, Weight, models_in_path, weight_of
from connector.model import JSON
from connector.request.wire import Body

__all__ = ["Asked", "as_it_comes", "looked_at"]


@dataclass(slots=True)
class Asked:
    """The body of a call before it goes on."""

    body: Body | None
    payload: JSON
    weight: Weight


async def as_it_comes(call: Call, most: int, still: float) -> Asked:
    """The body of a call that no limit looks at: large ones go on while they come.

    Args:
        call: whose body it is.
        most: bytes that it may have.
        still: seconds for the next 16 KB.
    """
    request = call.request
    models = tuple(models_in_path(call.operation, call.path))
    call.caller.check_models(models, needed=False)
    body = await received(request, most, still)
    if body is None:
        return Asked(None, None, Weight(models))
    known, length = known_of(body), body.length or 0
    given = length if "json" in body.content_type.lower() else length // BYTES_PER_FILE_TOKEN
    return Asked(body, known.payload, Weight((known.model,) if known.model else models, given))


async def looked_at(call: Call, most: int, still: float, share: Share) -> Asked:
    """The body of a call that counts against a limit or a list of models, all of it.

    Args:
        call: whose body it is.
        most: bytes that it may have.
        still: seconds for the next 16 KB.
        share: of the room for such bodies.
    """
    request, caller = call.request, call.caller
    body = await whole(request, most, still, share)
    content = content_of(request, body, strict=caller.must_understand)
    weight = weight_of(content, call.operation, call.path, call.query)
    caller.check_models(weight.models, needed=call.costly)
    return Asked(body, content.payload, weight)
