"""Containers and the files in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.model import JSON, members
from connector.sandbox.backend import Backend, Handler
from connector.sandbox.messages import Answer, Request, Upload
from connector.sandbox.resources import crud
from connector.sandbox.resources.files.storage import FILES
from connector.sandbox.timers import Timer

__all__ = ["CONTAINERS", "HANDLERS", "expire_container"]

CONTAINERS = "containers"
CONTAINER_FILES = "container files"
FOLDER = "/mnt/data"
MINUTES = 20


def create_container(request: Request, backend: Backend) -> Answer:
    body = crud.get_body(request)
    for file_id in body.get("file_ids", []):
        backend.require_object(FILES, file_id)
    made: dict[str, JSON] = {"id": backend.new_id("cntr_"), "object": "container", "created_at": int(backend.now())}
    made |= {"status": "running", "name": body["name"], "memory_limit": body.get("memory_limit", "1g")}
    after = body.get("expires_after", {"anchor": "last_active_at", "minutes": MINUTES})
    policy = members(body.get("network_policy")) or {"type": "disabled"}
    made["expires_after"] = after
    made["network_policy"] = {name: policy[name] for name in ("type", "allowed_domains") if name in policy}
    _touch(backend, made)
    backend.scheduler.schedule(CONTAINERS, made["id"], _expiry(made))
    for file_id in body.get("file_ids", []):
        _copy_file(backend, made["id"], file_id)
    return Answer(made)


def delete_container(request: Request, backend: Backend) -> Answer:
    for container_file in list(backend.objects.all(CONTAINER_FILES, request.path["container_id"])):
        backend.delete_content(container_file["id"])
    crud.delete_object(request, backend, CONTAINERS, "container_id", "container.deleted")
    return Answer(data=b"")


def add_file(request: Request, backend: Backend) -> Answer:
    container, body = _require_running(request, backend), crud.get_body(request)
    _touch(backend, container)
    upload = body.get("file")
    if isinstance(upload, Upload):
        return Answer(_save_file(backend, container["id"], upload.filename, upload.data))
    if "file_id" in body:
        return Answer(_copy_file(backend, container["id"], body["file_id"]))
    if backend.options.lenient:
        return Answer(_save_file(backend, container["id"], "empty", b""))
    raise crud.bad_request("Give either 'file' or 'file_id'.", "file")


def delete_file(request: Request, backend: Backend) -> Answer:
    _require_running(request, backend)
    crud.delete_object(request, backend, CONTAINER_FILES, "file_id", "container.file.deleted", "container_id")
    backend.delete_content(request.path["file_id"])
    return Answer(data=b"")


def download_file(request: Request, backend: Backend) -> Answer:
    _require_running(request, backend)
    backend.require_object(CONTAINER_FILES, request.path["file_id"], request.path["container_id"])
    return Answer(data=backend.read_content(request.path["file_id"]), content_type="application/octet-stream")


async def expire_container(backend: Backend, timer: Timer) -> float | None:
    """Expire a container that was not used; return the new expiry of one that was."""
    container = backend.objects.get(CONTAINERS, timer.id)
    if container is None:
        return None
    due = _expiry(container)
    if due > backend.now():
        return due
    backend.objects.put(CONTAINERS, {**container, "status": "expired"})
    return None


def _require_running(request: Request, backend: Backend) -> dict[str, Any]:
    container = backend.require_object(CONTAINERS, request.path["container_id"])
    if container["status"] == "expired" and not backend.options.lenient:
        raise crud.bad_request(f"Container '{container['id']}' has expired.", code="container_expired")
    return container


def _touch(backend: Backend, container: dict[str, Any]) -> None:
    container["last_active_at"] = int(backend.now())
    backend.objects.put(CONTAINERS, container)


def _expiry(container: Mapping[str, Any]) -> float:
    minutes = members(container.get("expires_after")).get("minutes", MINUTES)
    return float(container["last_active_at"] + minutes * 60)


def _save_file(
    backend: Backend, container_id: str, filename: str, data: bytes, source: str = "user"
) -> dict[str, JSON]:
    container_file: dict[str, JSON] = {"id": backend.new_id("cfile_"), "object": "container.file", "bytes": len(data)}
    container_file |= {"container_id": container_id, "created_at": int(backend.now()), "source": source}
    container_file["path"] = f"{FOLDER}/{filename.rsplit('/', 1)[-1]}"
    backend.save_content(container_file["id"], data)
    backend.objects.put(CONTAINER_FILES, container_file, container_id)
    return container_file


def _copy_file(backend: Backend, container_id: str, file_id: str) -> dict[str, JSON]:
    file = backend.require_object(FILES, file_id)
    return _save_file(backend, container_id, file["filename"], backend.read_content(file_id))


def _by_name(request: Request) -> crud.Condition:
    wanted = request.query.get("name")
    return lambda container: wanted in (None, container["name"])


CONTAINER = "/containers/{container_id}"
HANDLERS: Mapping[str, Handler] = {
    "GET /containers": crud.build_list_handler(CONTAINERS, where=_by_name),
    "POST /containers": create_container,
    f"GET {CONTAINER}": crud.build_retrieve_handler(CONTAINERS, "container_id"),
    f"DELETE {CONTAINER}": delete_container,
    f"GET {CONTAINER}/files": crud.build_list_handler(CONTAINER_FILES, (CONTAINERS, "container_id")),
    f"POST {CONTAINER}/files": add_file,
    f"GET {CONTAINER}/files/{{file_id}}": crud.build_retrieve_handler(CONTAINER_FILES, "file_id", "container_id"),
    f"DELETE {CONTAINER}/files/{{file_id}}": delete_file,
    f"GET {CONTAINER}/files/{{file_id}}/content": download_file,
}
