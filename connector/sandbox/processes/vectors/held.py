"""The files of a vector store, one at a time and in batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connector.model import JSON
from connector.sandbox.call import Answer
from connector.sandbox.processes.files.stored import FILES
from connector.sandbox.processes.kept import Where, body_of, listed, lists, retrieves
from connector.sandbox.processes.vectors.chunks import strategy_of
from connector.sandbox.processes.vectors.stored import BATCHES, HELD, STORES, add, counts, end, take_out, touch
from connector.sandbox.processes.vectors.stores import living
from connector.sandbox.processes.vectors.texts import Unreadable, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connector.sandbox.call import Call, Handler, World

__all__ = ["HANDLERS"]

MEMBERS = "sandbox vector store batch files"


def create(call: Call, world: World) -> Answer:
    store = living(world, call.path["vector_store_id"])
    touch(world, store)
    return Answer(add(world, store["id"], body_of(call)))


def update(call: Call, world: World) -> Answer:
    store_id = call.path["vector_store_id"]
    held = world.found(HELD, call.path["file_id"], store_id)
    held["attributes"] = call.payload["attributes"] or {}
    world.objects.put(HELD, held, store_id)
    return Answer(held)


def delete(call: Call, world: World) -> Answer:
    world.found(HELD, call.path["file_id"], call.path["vector_store_id"])
    take_out(world, call.path["vector_store_id"], call.path["file_id"])
    return Answer({"id": call.path["file_id"], "object": "vector_store.file.deleted", "deleted": True})


def content(call: Call, world: World) -> Answer:
    held = world.found(HELD, call.path["file_id"], call.path["vector_store_id"])
    file = world.found(FILES, call.path["file_id"])
    data: list[JSON] = []
    if held["status"] == "completed":
        try:
            data = [{"type": "text", "text": text_of(world.content(call.path["file_id"]), file["filename"])}]
        except Unreadable:  # only a made-up file is completed and has no text
            data = []
    page = {"object": "vector_store.file_content.page", "data": data, "has_more": False, "next_page": None}
    return Answer(page)


def create_batch(call: Call, world: World) -> Answer:
    store = living(world, call.path["vector_store_id"])
    asked = body_of(call)
    shared = {name: asked[name] for name in ("attributes", "chunking_strategy") if name in asked}
    files: list[dict[str, Any]] = asked.get("files") or [
        {"file_id": one, **shared} for one in asked.get("file_ids", [])
    ]
    for file in files:  # all or none
        world.found(FILES, file["file_id"])
        strategy_of(file.get("chunking_strategy"))
    touch(world, store)
    batch: dict[str, JSON] = {"id": world.new_id("vsfb_"), "object": "vector_store.files_batch"}
    batch |= {"created_at": int(world.now()), "vector_store_id": store["id"], "status": "in_progress"}
    batch |= {"file_counts": counts()}
    world.objects.put(BATCHES, batch, store["id"])
    for file in files:
        world.objects.put(MEMBERS, {"id": file["file_id"]}, f"{store['id']}/{batch['id']}")
        add(world, store["id"], file, batch["id"])
    return Answer(world.objects.get(BATCHES, batch["id"], store["id"]))


def cancel_batch(call: Call, world: World) -> Answer:
    store_id, batch_id = call.path["vector_store_id"], call.path["batch_id"]
    batch = world.found(BATCHES, batch_id, store_id)
    if batch["status"] != "in_progress":
        return Answer(batch)
    batch["status"] = "cancelled"
    world.objects.put(BATCHES, batch, store_id)
    for member in world.objects.all(MEMBERS, f"{store_id}/{batch_id}"):
        held = world.objects.get(HELD, member["id"], store_id)
        if held is not None and held["status"] == "in_progress":
            end(world, held, status="cancelled")
    return Answer(world.objects.get(BATCHES, batch_id, store_id) or batch)


def list_batch(call: Call, world: World) -> Answer:
    store_id, batch_id = call.path["vector_store_id"], call.path["batch_id"]
    world.found(BATCHES, batch_id, store_id)
    wanted = call.query.get("filter")

    def where(member: Mapping[str, JSON]) -> bool:
        held = world.objects.get(HELD, member["id"], store_id)
        return held is not None and wanted in (None, held["status"])

    answer = listed(call, world, MEMBERS, f"{store_id}/{batch_id}", where=where)
    held = [world.objects.get(HELD, member["id"], store_id) for member in answer.body["data"]]
    return Answer({**answer.body, "data": held})


def _of_state(call: Call) -> Where:
    wanted = call.query.get("filter")
    return lambda held: wanted in (None, held["status"])


STORE = "/vector_stores/{vector_store_id}"
HANDLERS: Mapping[str, Handler] = {
    f"GET {STORE}/files": lists(HELD, (STORES, "vector_store_id"), where=_of_state),
    f"POST {STORE}/files": create,
    f"GET {STORE}/files/{{file_id}}": retrieves(HELD, "file_id", "vector_store_id"),
    f"POST {STORE}/files/{{file_id}}": update,
    f"DELETE {STORE}/files/{{file_id}}": delete,
    f"GET {STORE}/files/{{file_id}}/content": content,
    f"POST {STORE}/file_batches": create_batch,
    f"GET {STORE}/file_batches/{{batch_id}}": retrieves(BATCHES, "batch_id", "vector_store_id"),
    f"POST {STORE}/file_batches/{{batch_id}}/cancel": cancel_batch,
    f"GET {STORE}/file_batches/{{batch_id}}/files": list_batch,
}
