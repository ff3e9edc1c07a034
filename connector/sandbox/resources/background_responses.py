"""Responses in the background: queued, in progress, finished or cancelled."""

from __future__ import annotations

from collections.abc import Mapping

from connector.sandbox.backend import Backend, Handler
from connector.sandbox.messages import Answer, Request
from connector.sandbox.models.responses.history import RESPONSES, RESULTS
from connector.sandbox.models.responses.operations import note_end
from connector.sandbox.resources.crud import bad_request
from connector.sandbox.timers import Timer

__all__ = ["HANDLERS", "advance_response"]

OPEN = ("queued", "in_progress")
ENDS = ("completed", "failed", "incomplete")


async def advance_response(backend: Backend, timer: Timer) -> float | None:
    """Advance a response to its next state."""
    response, result = backend.objects.get(RESPONSES, timer.id), backend.objects.get(RESULTS, timer.id)
    if response is None or result is None or response["status"] not in OPEN:
        return None
    if response["status"] == "queued":
        backend.objects.put(RESPONSES, {**response, "status": "in_progress"})
        return timer.due + backend.options.pace
    backend.objects.put(RESPONSES, result)
    note_end(result, backend)
    if result["status"] in ENDS:
        backend.send_webhook(f"response.{result['status']}", {"id": timer.id})
    return None


def cancel_response(request: Request, backend: Backend) -> Answer:
    """Cancel a response in the background."""
    response = backend.require_object(RESPONSES, request.path["response_id"])
    if response.get("background") is not True and not backend.options.lenient:
        raise bad_request("Only responses that were created with 'background' set to true can be cancelled.")
    if response["status"] in OPEN:
        response |= {"status": "cancelled", "output": []}
        backend.objects.put(RESPONSES, response)
        # The unfinished result is hidden; the objects below it stay.
        backend.objects.put(RESULTS, response)
        backend.send_webhook("response.cancelled", {"id": response["id"]})
    return Answer(response)


HANDLERS: Mapping[str, Handler] = {
    "POST /responses/{response_id}/cancel": cancel_response,
    "POST /responses/{response_id}/cancel?beta=true": cancel_response,
}
