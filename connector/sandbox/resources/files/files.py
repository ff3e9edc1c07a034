"""Files: uploaded whole, listed, downloaded, deleted, expired."""

from __future__ import annotations

from collections.abc import Mapping

from connector.model import members
from connector.sandbox.backend import Backend, Handler
from connector.sandbox.messages import Answer, Request
from connector.sandbox.resources.crud import Condition, build_list_handler, build_retrieve_handler, get_body
from connector.sandbox.resources.files.storage import FILES, USES, check_file, save_file
from connector.sandbox.resources.vector_stores.index import detach_file
from connector.sandbox.timers import Timer

__all__ = ["HANDLERS", "expire_file"]


def remove_file(backend: Backend, file_id: str) -> None:
    """Delete a file with its bytes, and remove it from its vector stores."""
    for store in list(backend.objects.all(USES, file_id)):
        detach_file(backend, store["id"], file_id)
    backend.objects.delete(FILES, file_id)
    backend.delete_content(file_id)


async def expire_file(backend: Backend, timer: Timer) -> None:
    """Delete a file that has expired."""
    remove_file(backend, timer.id)


def create_file(request: Request, backend: Backend) -> Answer:
    body = get_body(request)
    upload = body["file"]
    if not backend.options.lenient:
        check_file(upload.filename, body["purpose"], upload.data)
    seconds = members(body.get("expires_after")).get("seconds")
    seconds = None if seconds is None else int(seconds)
    return Answer(save_file(backend, upload.filename, body["purpose"], upload.data, seconds=seconds))


def delete_file(request: Request, backend: Backend) -> Answer:
    backend.require_object(FILES, request.path["file_id"])
    remove_file(backend, request.path["file_id"])
    return Answer({"id": request.path["file_id"], "object": "file", "deleted": True})


def download_file(request: Request, backend: Backend) -> Answer:
    backend.require_object(FILES, request.path["file_id"])
    return Answer(data=backend.read_content(request.path["file_id"]), content_type="application/octet-stream")


def _by_purpose(request: Request) -> Condition:
    purpose = request.query.get("purpose")
    return lambda file: purpose is None or file["purpose"] == purpose


HANDLERS: Mapping[str, Handler] = {
    "GET /files": build_list_handler(FILES, where=_by_purpose),
    "POST /files": create_file,
    "GET /files/{file_id}": build_retrieve_handler(FILES, "file_id"),
    "DELETE /files/{file_id}": delete_file,
    "GET /files/{file_id}/content": download_file,
}
