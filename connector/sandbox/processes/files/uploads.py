"""Files that arrive in parts."""

from __future__ import annotations

from hashlib import md5
from typing import TYPE_CHECKING, Any

from connector.model import JSON
from connector.sandbox.call import Answer
from connector.sandbox.processes.files.rules import check_file
from connector.sandbox.processes.files.stored import keep_file
from connector.sandbox.processes.kept import body_of, wrong
from connector.shapes import members

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connector.sandbox.call import Call, Handler, World
    from connector.sandbox.processes.timetable import Entry

__all__ = ["HANDLERS", "UPLOADS", "expire"]

UPLOADS = "uploads"
PARTS = "upload parts"
HOUR = 3600
MEGABYTE = 1024 * 1024
MOST_BYTES = 8 * 1024 * MEGABYTE
MOST_PART_BYTES = 64 * MEGABYTE


def create(call: Call, world: World) -> Answer:
    asked = body_of(call)
    if not 0 <= asked["bytes"] <= MOST_BYTES:
        raise wrong(f"An upload holds at most {MOST_BYTES} bytes, not {asked['bytes']}.", "bytes")
    now = int(world.now())
    upload: dict[str, JSON] = {"id": world.new_id("upload_"), "object": "upload", "bytes": asked["bytes"]}
    upload |= {"created_at": now, "expires_at": now + HOUR, "filename": asked["filename"]}
    upload |= {"purpose": asked["purpose"], "status": "pending", "file": None}
    seconds = members(asked.get("expires_after")).get("seconds")
    world.objects.put(UPLOADS, upload)
    world.objects.put("sandbox uploads", {"id": upload["id"], "seconds": seconds})
    world.processes.open(UPLOADS, upload["id"], upload["expires_at"])
    return Answer(upload)


def add_part(call: Call, world: World) -> Answer:
    upload = _pending(call, world)
    data = body_of(call)["data"].data
    if len(data) > MOST_PART_BYTES:
        raise wrong(f"The part is {len(data)} bytes; the most is {MOST_PART_BYTES}.", "data")
    part: dict[str, JSON] = {"id": world.new_id("part_"), "object": "upload.part", "upload_id": call.path["upload_id"]}
    part["created_at"] = int(world.now())
    world.keep_content(part["id"], data)
    world.objects.put(PARTS, part, upload["id"])
    return Answer(part)


def complete(call: Call, world: World) -> Answer:
    upload, asked = _pending(call, world), body_of(call)
    data = _joined(world, upload, asked["part_ids"])
    if not world.options.lenient:
        _check(upload, data, asked.get("md5"))
        check_file(upload["filename"], upload["purpose"], data)
    kept = world.objects.get("sandbox uploads", upload["id"]) or {}
    file = keep_file(world, upload["filename"], upload["purpose"], data, seconds=kept.get("seconds"))
    return Answer(_ended(world, upload, "completed", file))


def cancel(call: Call, world: World) -> Answer:
    return Answer(_ended(world, _pending(call, world), "cancelled"))


async def expire(world: World, entry: Entry) -> None:
    """An upload that nobody completed within its hour."""
    upload = world.objects.get(UPLOADS, entry.id)
    if upload is not None and upload["status"] == "pending":
        _ended(world, upload, "expired")


def _pending(call: Call, world: World) -> dict[str, Any]:
    upload = world.found(UPLOADS, call.path["upload_id"])
    if upload["status"] != "pending" and not world.options.lenient:
        raise wrong(f"Upload '{upload['id']}' is {upload['status']}; only a pending upload can be changed.")
    return upload


def _joined(world: World, upload: Mapping[str, JSON], part_ids: Sequence[str]) -> bytes:
    if world.options.lenient:
        part_ids = [part for part in part_ids if world.objects.get(PARTS, part, upload["id"])]
    for place, part in enumerate(part_ids):
        if world.objects.get(PARTS, part, upload["id"]) is None:
            raise wrong(f"No such part of upload '{upload['id']}': '{part}'.", f"part_ids[{place}]")
        if part in part_ids[:place]:
            raise wrong(f"Part '{part}' is named twice.", f"part_ids[{place}]")
    return b"".join(world.content(part) for part in part_ids)


def _check(upload: Mapping[str, JSON], data: bytes, digest: str | None) -> None:
    if len(data) != upload["bytes"]:
        raise wrong(f"The parts hold {len(data)} bytes; the upload was created for {upload['bytes']}.", "part_ids")
    found = md5(data, usedforsecurity=False).hexdigest()
    if digest is not None and digest.lower() != found:
        raise wrong(f"The parts' MD5 is {found}; '{digest}' was given.", "md5")


def _ended(world: World, upload: dict[str, Any], status: str, file: JSON = None) -> dict[str, Any]:
    """The upload in its last state; the parts are no longer needed."""
    while parts := world.objects.page(PARTS, upload["id"], limit=100, order="asc").items:
        for part in parts:
            world.drop_content(part["id"])
            world.objects.delete(PARTS, part["id"], upload["id"])
    upload |= {"status": status, "file": file}
    world.objects.put(UPLOADS, upload)
    world.objects.delete("sandbox uploads", upload["id"])
    return upload


HANDLERS: Mapping[str, Handler] = {
    "POST /uploads": create,
    "POST /uploads/{upload_id}/parts": add_part,
    "POST /uploads/{upload_id}/complete": complete,
    "POST /uploads/{upload_id}/cancel": cancel,
}
