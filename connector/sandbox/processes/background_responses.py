"""Responses in the background: queued, at work, finished or cancelled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.sandbox.answers.responses.memory import RESPONSES, RESULTS
from connector.sandbox.call import Answer
from connector.sandbox.processes.kept import wrong

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connector.sandbox.call import Call, Handler, World
    from connector.sandbox.processes.timetable import Entry

__all__ = ["HANDLERS", "RESPONSES", "move"]

OPEN = ("queued", "in_progress")
ENDS = ("completed", "failed", "incomplete")


async def move(world: World, entry: Entry) -> float | None:
    """One step of a response; when the next one is due."""
    response, result = world.objects.get(RESPONSES, entry.id), world.objects.get(RESULTS, entry.id)
    if response is None or result is None or response["status"] not in OPEN:
        return None
    if response["status"] == "queued":
        world.objects.put(RESPONSES, {**response, "status": "in_progress"})
        return entry.due + world.options.pace
    world.objects.put(RESPONSES, result)
    if result["status"] in ENDS:
        world.tell(f"response.{result['status']}", {"id": entry.id})
    return None


def cancel(call: Call, world: World) -> Answer:
    response = world.found(RESPONSES, call.path["response_id"])
    if response.get("background") is not True and not world.options.lenient:
        raise wrong("Only responses that were created with 'background' set to true can be cancelled.")
    if response["status"] in OPEN:
        response |= {"status": "cancelled", "output": []}
        world.objects.put(RESPONSES, response)
        # The result that was on its way is not to be seen any more; what stands below it stays.
        world.objects.put(RESULTS, response)
        world.tell("response.cancelled", {"id": response["id"]})
    return Answer(response)


HANDLERS: Mapping[str, Handler] = {
    "POST /responses/{response_id}/cancel": cancel,
    "POST /responses/{response_id}/cancel?beta=true": cancel,
}
