"""One line of a batch, run through the sandbox itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.model import JSON, is_object
from connector.sandbox.processes.batches.lines import Line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connector.sandbox.call import World

__all__ = ["not_run", "ran", "succeeded"]

REASONS: Mapping[str, str] = {
    "batch_expired": "This request could not be executed before the completion window expired.",
    "batch_cancelled": "This request was not executed because the batch was cancelled.",
}


async def ran(world: World, line: Line) -> dict[str, JSON]:
    """The line's outcome in the form of an output file."""
    answer = await world.call("POST", line.url, dict(line.body))
    request_id = answer.headers.get("x-request-id") or world.new_id("req_")
    response = {"status_code": answer.status, "request_id": request_id, "body": answer.body}
    return {"id": world.new_id("batch_req_"), "custom_id": line.custom_id, "response": response, "error": None}


def not_run(world: World, line: Line, code: str) -> dict[str, JSON]:
    """The outcome of a line whose turn never came."""
    error = {"code": code, "message": REASONS[code]}
    return {"id": world.new_id("batch_req_"), "custom_id": line.custom_id, "response": None, "error": error}


def succeeded(outcome: Mapping[str, JSON]) -> bool:
    """Whether the line belongs into the output file."""
    response = outcome["response"]
    return is_object(response) and 200 <= response["status_code"] < 300
