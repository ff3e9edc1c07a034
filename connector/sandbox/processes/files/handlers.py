"""Files: kept byte for byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.sandbox.call import Answer
from connector.sandbox.processes.files.removing import remove_file
from connector.sandbox.processes.files.rules import check_file
from connector.sandbox.processes.files.stored import FILES, keep_file
from connector.sandbox.processes.kept import Where, body_of, lists, retrieves
from connector.shapes import members

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connector.sandbox.call import Call, Handler, World

__all__ = ["HANDLERS"]


def create(call: Call, world: World) -> Answer:
    asked = body_of(call)
    upload = asked["file"]
    if not world.options.lenient:
        check_file(upload.filename, asked["purpose"], upload.data)
    seconds = members(asked.get("expires_after")).get("seconds")
    seconds = None if seconds is None else int(seconds)
    return Answer(keep_file(world, upload.filename, asked["purpose"], upload.data, seconds=seconds))


def delete(call: Call, world: World) -> Answer:
    world.found(FILES, call.path["file_id"])
    remove_file(world, call.path["file_id"])
    return Answer({"id": call.path["file_id"], "object": "file", "deleted": True})


def content(call: Call, world: World) -> Answer:
    world.found(FILES, call.path["file_id"])
    return Answer(data=world.content(call.path["file_id"]), content_type="application/octet-stream")


def _of_purpose(call: Call) -> Where:
    purpose = call.query.get("purpose")
    return lambda file: purpose is None or file["purpose"] == purpose


HANDLERS: Mapping[str, Handler] = {
    "GET /files": lists(FILES, where=_of_purpose),
    "POST /files": create,
    "GET /files/{file_id}": retrieves(FILES, "file_id"),
    "DELETE /files/{file_id}": delete,
    "GET /files/{file_id}/content": content,
}
