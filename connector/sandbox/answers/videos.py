"""Videos: made of a prompt or of another video, finished after a while, downloaded."""

from __future__ import annotations

from collections.abc import Mapping

from connector.model import JSON, is_document
from connector.sandbox.answers.pictures import picture, video
from connector.sandbox.answers.scripted import silent
from connector.sandbox.answers.sizes import sides_of
from connector.sandbox.call import Answer, Call, Handler, Refused, World
from connector.shapes import members

__all__ = ["HANDLERS"]

VIDEOS = "videos"
PAGE = 20
LIFE = 24 * 3600
"""Seconds for which a finished video can be downloaded."""
STARTED = "started"
"""When it was begun, to the fraction of a second; the API does not show it."""
USUAL: Mapping[str, JSON] = {"model": "sora-2", "size": "720x1280", "seconds": "4"}


def create(call: Call, world: World) -> Answer:
    """Begins a video."""
    return _begun(members(call.payload), {}, world)


def remix(call: Call, world: World) -> Answer:
    """Begins a video like another one, by another prompt."""
    source = _finished(call.path["video_id"], world)
    return _begun(members(call.payload), {**source, "remixed_from_video_id": source["id"]}, world)


def change(call: Call, world: World) -> Answer:
    """Begins a video that goes on from another one, or changes it."""
    payload = members(call.payload)
    given = payload.get("video")
    source = _finished(given["id"], world) if is_document(given) and "id" in given else {}
    return _begun(payload, source, world)


def retrieve(call: Call, world: World) -> Answer:
    """A video as it stands now."""
    return Answer(body=_now(world.found(VIDEOS, call.path["video_id"]), world))


def listed(call: Call, world: World) -> Answer:
    """A page of the videos, newest first unless it is asked for otherwise."""
    query = call.query
    limit, order = int(query.get("limit") or PAGE), query.get("order") or "desc"
    after = world.cursor(VIDEOS, query.get("after"))
    page = world.objects.page(VIDEOS, limit=limit, after=after, order=order)
    data = [_now(one, world) for one in page.items]
    ends = {"first_id": data[0]["id"], "last_id": data[-1]["id"]} if data else {"first_id": None, "last_id": None}
    return Answer(body={"object": "list", "data": data, **ends, "has_more": page.has_more})


def download(call: Call, world: World) -> Answer:
    """The bytes of a finished video, or of pictures of it."""
    known = _finished(call.path["video_id"], world)
    said, (width, height) = str(known.get("prompt")), sides_of(known["size"])
    variant = call.query.get("variant") or "video"
    if variant == "thumbnail":
        return Answer(data=picture(said, width, height, "webp"), content_type="image/webp")
    if variant == "spritesheet":
        return Answer(data=picture(said, width, height, "jpeg"), content_type="image/jpeg")
    return Answer(data=video(said, width, height, int(known["seconds"])), content_type="video/mp4")


def _begun(payload: Mapping[str, JSON], source: Mapping[str, JSON], world: World) -> Answer:
    asked = {name: payload.get(name) or source.get(name) or usual for name, usual in USUAL.items()}
    made: dict[str, JSON] = {"id": world.new_id("video_"), "object": "video", "created_at": int(world.now())}
    made |= {**asked, "seconds": str(asked["seconds"]), "prompt": payload.get("prompt")}
    made |= {"remixed_from_video_id": source.get("remixed_from_video_id"), "error": None, STARTED: world.now()}
    world.objects.put(VIDEOS, made)
    world.processes.open(VIDEOS, made["id"], made[STARTED] + 2 * world.options.pace)
    return Answer(body=_now(made, world))


def _now(known: Mapping[str, JSON], world: World) -> dict[str, JSON]:
    """How far a video is: it waits, grows, and is finished."""
    shown = {name: value for name, value in known.items() if name != STARTED}
    if STARTED not in known:
        return shown
    pace = world.options.pace or 1e-9
    share = (world.now() - known[STARTED]) / pace
    status = "queued" if share < 1 else "in_progress" if share < 2 else "completed"
    ended = int(known[STARTED] + 2 * pace) if status == "completed" else None
    ends = {"completed_at": ended, "expires_at": ended and ended + LIFE}
    return {**shown, "status": status, "progress": max(0, min(100, int((share - 1) * 100))), **ends}


def _finished(name: str, world: World) -> dict[str, JSON]:
    """A video that can be used; one that is not finished is refused."""
    known = _now(world.found(VIDEOS, name), world)
    if known.get("status") != "completed" and not world.options.lenient:
        message = f"Video {name} is not ready: its status is '{known['status']}'."
        raise Refused(400, message, param="video_id", code="video_not_ready")
    return known


HANDLERS: Mapping[str, Handler] = {
    "POST /videos": silent(create),
    "POST /videos/edits": silent(change),
    "POST /videos/extensions": silent(change),
    "POST /videos/{video_id}/remix": silent(remix),
    "GET /videos": listed,
    "GET /videos/{video_id}": retrieve,
    "GET /videos/{video_id}/content": download,
}
