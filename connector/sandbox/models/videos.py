"""Videos: created, remixed, edited, finished after a while, downloaded."""

from __future__ import annotations

from collections.abc import Mapping

from connector.model import JSON, is_document, members
from connector.sandbox.backend import Backend, Handler
from connector.sandbox.messages import Answer, ApiError, Request
from connector.sandbox.models.media.pictures import draw_picture, parse_size, render_video
from connector.sandbox.models.script_handlers import with_scripted_body

__all__ = ["HANDLERS", "VIDEOS"]

VIDEOS = "videos"
PAGE_SIZE = 20
DOWNLOAD_LIFE = 24 * 3600
"""Seconds after which a finished video expires."""
STARTED = "started"
"""When it was started, to the fraction of a second; the API does not show it."""
DEFAULTS: Mapping[str, JSON] = {"model": "sora-2", "size": "720x1280", "seconds": "4"}


def create_video(request: Request, backend: Backend) -> Answer:
    """Start a video."""
    return _start_video(members(request.payload), {}, backend)


def remix_video(request: Request, backend: Backend) -> Answer:
    """Start a video like another one, by another prompt."""
    source = _require_finished(request.path["video_id"], backend)
    return _start_video(members(request.payload), {**source, "remixed_from_video_id": source["id"]}, backend)


def edit_video(request: Request, backend: Backend) -> Answer:
    """Start a video that extends or edits another one."""
    payload = members(request.payload)
    given = payload.get("video")
    source = _require_finished(given["id"], backend) if is_document(given) and "id" in given else {}
    return _start_video(payload, source, backend)


def retrieve_video(request: Request, backend: Backend) -> Answer:
    """Return a video with its progress."""
    return Answer(body=_with_progress(backend.require_object(VIDEOS, request.path["video_id"]), backend))


def list_videos(request: Request, backend: Backend) -> Answer:
    """Return a page of the videos, newest first by default."""
    query = request.query
    limit, order = int(query.get("limit") or PAGE_SIZE), query.get("order") or "desc"
    after = backend.resolve_cursor(VIDEOS, query.get("after"))
    page = backend.objects.page(VIDEOS, limit=limit, after=after, order=order)
    data = [_with_progress(one, backend) for one in page.items]
    ends = {"first_id": data[0]["id"], "last_id": data[-1]["id"]} if data else {"first_id": None, "last_id": None}
    return Answer(body={"object": "list", "data": data, **ends, "has_more": page.has_more})


def download_video(request: Request, backend: Backend) -> Answer:
    """Return the bytes of a finished video, or of pictures of it."""
    known = _require_finished(request.path["video_id"], backend)
    prompt, (width, height) = str(known.get("prompt")), parse_size(known["size"])
    variant = request.query.get("variant") or "video"
    if variant == "thumbnail":
        return Answer(data=draw_picture(prompt, width, height, "webp"), content_type="image/webp")
    if variant == "spritesheet":
        return Answer(data=draw_picture(prompt, width, height, "jpeg"), content_type="image/jpeg")
    return Answer(data=render_video(prompt, width, height, int(known["seconds"])), content_type="video/mp4")


def _start_video(payload: Mapping[str, JSON], source: Mapping[str, JSON], backend: Backend) -> Answer:
    settings = {name: payload.get(name) or source.get(name) or default for name, default in DEFAULTS.items()}
    made: dict[str, JSON] = {"id": backend.new_id("video_"), "object": "video", "created_at": int(backend.now())}
    made |= {**settings, "seconds": str(settings["seconds"]), "prompt": payload.get("prompt")}
    made |= {"remixed_from_video_id": source.get("remixed_from_video_id"), "error": None, STARTED: backend.now()}
    backend.objects.put(VIDEOS, made)
    backend.scheduler.schedule(VIDEOS, made["id"], made[STARTED] + 2 * backend.options.pace)
    return Answer(body=_with_progress(made, backend))


def _with_progress(known: Mapping[str, JSON], backend: Backend) -> dict[str, JSON]:
    """Return a video with its status and progress now."""
    shown = {name: value for name, value in known.items() if name != STARTED}
    if STARTED not in known:
        return shown
    pace = backend.options.pace or 1e-9
    share = (backend.now() - known[STARTED]) / pace
    status = "queued" if share < 1 else "in_progress" if share < 2 else "completed"
    ended = int(known[STARTED] + 2 * pace) if status == "completed" else None
    ends = {"completed_at": ended, "expires_at": ended and ended + DOWNLOAD_LIFE}
    return {**shown, "status": status, "progress": max(0, min(100, int((share - 1) * 100))), **ends}


def _require_finished(name: str, backend: Backend) -> dict[str, JSON]:
    """Return a finished video; raise ApiError for one that is not."""
    known = _with_progress(backend.require_object(VIDEOS, name), backend)
    if known.get("status") != "completed" and not backend.options.lenient:
        message = f"Video {name} is not ready: its status is '{known['status']}'."
        raise ApiError(400, message, param="video_id", code="video_not_ready")
    return known


HANDLERS: Mapping[str, Handler] = {
    "POST /videos": with_scripted_body(create_video),
    "POST /videos/edits": with_scripted_body(edit_video),
    "POST /videos/extensions": with_scripted_body(edit_video),
    "POST /videos/{video_id}/remix": with_scripted_body(remix_video),
    "GET /videos": list_videos,
    "GET /videos/{video_id}": retrieve_video,
    "GET /videos/{video_id}/content": download_video,
}
