"""The stream of what changes."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header
from fastapi.responses import StreamingResponse

from connector.studio.access import Context, Viewer

__all__ = ["router"]

router = APIRouter(tags=["events"])
MEDIA_TYPE = "text/event-stream"
STREAM: dict[int | str, dict[str, Any]] = {
    200: {"description": "The stream.", "content": {MEDIA_TYPE: {"schema": {"type": "string"}}}}
}


@router.get("/events", summary="Follow what changes", response_class=StreamingResponse, responses=STREAM)
async def follow(
    context: Context, _: Viewer, last_event_id: Annotated[str, Header(max_length=30)] = ""
) -> StreamingResponse:
    """Send an event (server-sent events) for whatever changes, for as long as the connection lasts.

    - `counts`: `{route: {state: number}}`, all of them.
    - `tasks`: `{"changed": [ids]}`, or `{"changed": "many"}`.
    - `routes`: what is paused, and why.
    - `config`: `{"etag": …}`, when the configuration has changed.
    - `attention`: how much needs a person.
    - `resync`: events were lost; read everything anew.

    A page that comes back with `Last-Event-ID` gets what it has missed.
    """
    return StreamingResponse(
        context.events.stream(last_event_id),
        media_type=MEDIA_TYPE,
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )
