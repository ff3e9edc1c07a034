"""Uploads: files that arrive in parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import md5
from typing import Any

from connector.model import JSON, members
from connector.sandbox.backend import Backend, Handler
from connector.sandbox.messages import Answer, Request
from connector.sandbox.resources.crud import bad_request, get_body
from connector.sandbox.resources.files.storage import check_file, save_file
from connector.sandbox.timers import Timer

__all__ = ["HANDLERS", "UPLOADS", "expire_upload"]

UPLOADS = "uploads"
PARTS = "upload parts"
HOUR = 3600
MEGABYTE = 1024 * 1024
MOST_BYTES = 8 * 1024 * MEGABYTE
MOST_PART_BYTES = 64 * MEGABYTE


def create_upload(request: Request, backend: Backend) -> Answer:
    body = get_body(request)
    if not 0 <= body["bytes"] <= MOST_BYTES:
        raise bad_request(f"An upload holds at most {MOST_BYTES} bytes, not {body['bytes']}.", "bytes")
    now = int(backend.now())
    upload: dict[str, JSON] = {"id": backend.new_id("upload_"), "object": "upload", "bytes": body["bytes"]}
    upload |= {"created_at": now, "expires_at": now + HOUR, "filename": body["filename"]}
    upload |= {"purpose": body["purpose"], "status": "pending", "file": None}
    seconds = members(body.get("expires_after")).get("seconds")
    backend.objects.put(UPLOADS, upload)
    backend.objects.put("sandbox uploads", {"id": upload["id"], "seconds": seconds})
    backend.scheduler.schedule(UPLOADS, upload["id"], upload["expires_at"])
    return Answer(upload)


def add_part(request: Request, backend: Backend) -> Answer:
    upload = _require_pending(request, backend)
    data = get_body(request)["data"].data
    if len(data) > MOST_PART_BYTES:
        raise bad_request(f"The part is {len(data)} bytes; the most is {MOST_PART_BYTES}.", "data")
    part: dict[str, JSON] = {
        "id": backend.new_id("part_"),
        "object": "upload.part",
        "upload_id": request.path["upload_id"],
    }
    part["created_at"] = int(backend.now())
    backend.save_content(part["id"], data)
    backend.objects.put(PARTS, part, upload["id"])
    return Answer(part)


def complete_upload(request: Request, backend: Backend) -> Answer:
    upload, body = _require_pending(request, backend), get_body(request)
    data = _join_parts(backend, upload, body["part_ids"])
    if not backend.options.lenient:
        _check_parts(upload, data, body.get("md5"))
        check_file(upload["filename"], upload["purpose"], data)
    settings = backend.objects.get("sandbox uploads", upload["id"]) or {}
    file = save_file(backend, upload["filename"], upload["purpose"], data, seconds=settings.get("seconds"))
    return Answer(_end_upload(backend, upload, "completed", file))


def cancel_upload(request: Request, backend: Backend) -> Answer:
    return Answer(_end_upload(backend, _require_pending(request, backend), "cancelled"))


async def expire_upload(backend: Backend, timer: Timer) -> None:
    """Expire an upload that was not completed within its hour."""
    upload = backend.objects.get(UPLOADS, timer.id)
    if upload is not None and upload["status"] == "pending":
        _end_upload(backend, upload, "expired")


def _require_pending(request: Request, backend: Backend) -> dict[str, Any]:
    upload = backend.require_object(UPLOADS, request.path["upload_id"])
    if upload["status"] != "pending" and not backend.options.lenient:
        raise bad_request(f"Upload '{upload['id']}' is {upload['status']}; only a pending upload can be changed.")
    return upload


def _join_parts(backend: Backend, upload: Mapping[str, JSON], part_ids: Sequence[str]) -> bytes:
    if backend.options.lenient:
        part_ids = [part for part in part_ids if backend.objects.get(PARTS, part, upload["id"])]
    for index, part in enumerate(part_ids):
        if backend.objects.get(PARTS, part, upload["id"]) is None:
            raise bad_request(f"No such part of upload '{upload['id']}': '{part}'.", f"part_ids[{index}]")
        if part in part_ids[:index]:
            raise bad_request(f"Part '{part}' is named twice.", f"part_ids[{index}]")
    return b"".join(backend.read_content(part) for part in part_ids)


def _check_parts(upload: Mapping[str, JSON], data: bytes, digest: str | None) -> None:
    if len(data) != upload["bytes"]:
        raise bad_request(
            f"The parts hold {len(data)} bytes; the upload was created for {upload['bytes']}.", "part_ids"
        )
    found = md5(data, usedforsecurity=False).hexdigest()
    if digest is not None and digest.lower() != found:
        raise bad_request(f"The parts' MD5 is {found}; '{digest}' was given.", "md5")


def _end_upload(backend: Backend, upload: dict[str, Any], status: str, file: JSON = None) -> dict[str, Any]:
    """Set the last state of an upload, and delete its parts."""
    while parts := backend.objects.page(PARTS, upload["id"], limit=100, order="asc").items:
        for part in parts:
            backend.delete_content(part["id"])
            backend.objects.delete(PARTS, part["id"], upload["id"])
    upload |= {"status": status, "file": file}
    backend.objects.put(UPLOADS, upload)
    backend.objects.delete("sandbox uploads", upload["id"])
    return upload


HANDLERS: Mapping[str, Handler] = {
    "POST /uploads": create_upload,
    "POST /uploads/{upload_id}/parts": add_part,
    "POST /uploads/{upload_id}/complete": complete_upload,
    "POST /uploads/{upload_id}/cancel": cancel_upload,
}
