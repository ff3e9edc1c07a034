"""Containers and the files in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connector.model import JSON
from connector.sandbox.call import Answer, Upload
from connector.sandbox.processes.files.stored import FILES
from connector.sandbox.processes.kept import Where, body_of, deleted, lists, retrieves, wrong
from connector.shapes import members

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connector.sandbox.call import Call, Handler, World
    from connector.sandbox.processes.timetable import Entry

__all__ = ["CONTAINERS", "HANDLERS", "expire"]

CONTAINERS = "containers"
HELD = "container files"
FOLDER = "/mnt/data"
MINUTES = 20


def create(call: Call, world: World) -> Answer:
    asked = body_of(call)
    for file_id in asked.get("file_ids", []):
        world.found(FILES, file_id)
    made: dict[str, JSON] = {"id": world.new_id("cntr_"), "object": "container", "created_at": int(world.now())}
    made |= {"status": "running", "name": asked["name"], "memory_limit": asked.get("memory_limit", "1g")}
    after = asked.get("expires_after", {"anchor": "last_active_at", "minutes": MINUTES})
    policy = members(asked.get("network_policy")) or {"type": "disabled"}
    made["expires_after"] = after
    made["network_policy"] = {name: policy[name] for name in ("type", "allowed_domains") if name in policy}
    _touch(world, made)
    world.processes.open(CONTAINERS, made["id"], _due(made))
    for file_id in asked.get("file_ids", []):
        _keep_copy(world, made["id"], file_id)
    return Answer(made)


def delete(call: Call, world: World) -> Answer:
    for held in list(world.objects.all(HELD, call.path["container_id"])):
        world.drop_content(held["id"])
    deleted(call, world, CONTAINERS, "container_id", "container.deleted")
    return Answer(data=b"")


def add_file(call: Call, world: World) -> Answer:
    container, asked = _running(call, world), body_of(call)
    _touch(world, container)
    upload = asked.get("file")
    if isinstance(upload, Upload):
        return Answer(_keep(world, container["id"], upload.filename, upload.data))
    if "file_id" in asked:
        return Answer(_keep_copy(world, container["id"], asked["file_id"]))
    if world.options.lenient:
        return Answer(_keep(world, container["id"], "empty", b""))
    raise wrong("Give either 'file' or 'file_id'.", "file")


def delete_file(call: Call, world: World) -> Answer:
    _running(call, world)
    deleted(call, world, HELD, "file_id", "container.file.deleted", "container_id")
    world.drop_content(call.path["file_id"])
    return Answer(data=b"")


def content(call: Call, world: World) -> Answer:
    _running(call, world)
    world.found(HELD, call.path["file_id"], call.path["container_id"])
    return Answer(data=world.content(call.path["file_id"]), content_type="application/octet-stream")


async def expire(world: World, entry: Entry) -> float | None:
    """A container that nobody used expires; one that was used waits on."""
    container = world.objects.get(CONTAINERS, entry.id)
    if container is None:
        return None
    due = _due(container)
    if due > world.now():
        return due
    world.objects.put(CONTAINERS, {**container, "status": "expired"})
    return None


def _running(call: Call, world: World) -> dict[str, Any]:
    container = world.found(CONTAINERS, call.path["container_id"])
    if container["status"] == "expired" and not world.options.lenient:
        raise wrong(f"Container '{container['id']}' has expired.", code="container_expired")
    return container


def _touch(world: World, container: dict[str, Any]) -> None:
    container["last_active_at"] = int(world.now())
    world.objects.put(CONTAINERS, container)


def _due(container: Mapping[str, Any]) -> float:
    minutes = members(container.get("expires_after")).get("minutes", MINUTES)
    return float(container["last_active_at"] + minutes * 60)


def _keep(world: World, container_id: str, filename: str, data: bytes, source: str = "user") -> dict[str, JSON]:
    held: dict[str, JSON] = {"id": world.new_id("cfile_"), "object": "container.file", "bytes": len(data)}
    held |= {"container_id": container_id, "created_at": int(world.now()), "source": source}
    held["path"] = f"{FOLDER}/{filename.rsplit('/', 1)[-1]}"
    world.keep_content(held["id"], data)
    world.objects.put(HELD, held, container_id)
    return held


def _keep_copy(world: World, container_id: str, file_id: str) -> dict[str, JSON]:
    file = world.found(FILES, file_id)
    return _keep(world, container_id, file["filename"], world.content(file_id))


def _named(call: Call) -> Where:
    wanted = call.query.get("name")
    return lambda container: wanted in (None, container["name"])


CONTAINER = "/containers/{container_id}"
HANDLERS: Mapping[str, Handler] = {
    "GET /containers": lists(CONTAINERS, where=_named),
    "POST /containers": create,
    f"GET {CONTAINER}": retrieves(CONTAINERS, "container_id"),
    f"DELETE {CONTAINER}": delete,
    f"GET {CONTAINER}/files": lists(HELD, (CONTAINERS, "container_id")),
    f"POST {CONTAINER}/files": add_file,
    f"GET {CONTAINER}/files/{{file_id}}": retrieves(HELD, "file_id", "container_id"),
    f"DELETE {CONTAINER}/files/{{file_id}}": delete_file,
    f"GET {CONTAINER}/files/{{file_id}}/content": content,
}
