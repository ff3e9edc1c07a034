"""The files of a vector store, one at a time and in batches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.model import JSON
from connector.sandbox.backend import Backend, Handler
from connector.sandbox.messages import Answer, Request
from connector.sandbox.resources.crud import (
    Condition,
    build_list_handler,
    build_retrieve_handler,
    get_body,
    list_objects,
)
from connector.sandbox.resources.files.storage import FILES
from connector.sandbox.resources.vector_stores.file_text import UnreadableFile, extract_text
from connector.sandbox.resources.vector_stores.index import (
    BATCHES,
    STORE_FILES,
    STORES,
    add_file,
    change_state,
    count_states,
    detach_file,
    read_strategy,
    touch_store,
)
from connector.sandbox.resources.vector_stores.stores import require_active_store

__all__ = ["HANDLERS"]

BATCH_FILES = "sandbox vector store batch files"


def add_store_file(request: Request, backend: Backend) -> Answer:
    store = require_active_store(backend, request.path["vector_store_id"])
    touch_store(backend, store)
    return Answer(add_file(backend, store["id"], get_body(request)))


def update_store_file(request: Request, backend: Backend) -> Answer:
    store_id = request.path["vector_store_id"]
    store_file = backend.require_object(STORE_FILES, request.path["file_id"], store_id)
    store_file["attributes"] = request.payload["attributes"] or {}
    backend.objects.put(STORE_FILES, store_file, store_id)
    return Answer(store_file)


def delete_store_file(request: Request, backend: Backend) -> Answer:
    backend.require_object(STORE_FILES, request.path["file_id"], request.path["vector_store_id"])
    detach_file(backend, request.path["vector_store_id"], request.path["file_id"])
    return Answer({"id": request.path["file_id"], "object": "vector_store.file.deleted", "deleted": True})


def retrieve_content(request: Request, backend: Backend) -> Answer:
    store_file = backend.require_object(STORE_FILES, request.path["file_id"], request.path["vector_store_id"])
    file = backend.require_object(FILES, request.path["file_id"])
    data: list[JSON] = []
    if store_file["status"] == "completed":
        try:
            data = [
                {"type": "text", "text": extract_text(backend.read_content(request.path["file_id"]), file["filename"])}
            ]
        except UnreadableFile:  # only a made-up file is completed and has no text
            data = []
    page = {"object": "vector_store.file_content.page", "data": data, "has_more": False, "next_page": None}
    return Answer(page)


def create_file_batch(request: Request, backend: Backend) -> Answer:
    store = require_active_store(backend, request.path["vector_store_id"])
    body = get_body(request)
    shared = {name: body[name] for name in ("attributes", "chunking_strategy") if name in body}
    files: list[dict[str, Any]] = body.get("files") or [{"file_id": one, **shared} for one in body.get("file_ids", [])]
    for file in files:  # all or none
        backend.require_object(FILES, file["file_id"])
        read_strategy(file.get("chunking_strategy"))
    touch_store(backend, store)
    batch: dict[str, JSON] = {"id": backend.new_id("vsfb_"), "object": "vector_store.files_batch"}
    batch |= {"created_at": int(backend.now()), "vector_store_id": store["id"], "status": "in_progress"}
    batch |= {"file_counts": count_states()}
    backend.objects.put(BATCHES, batch, store["id"])
    for file in files:
        backend.objects.put(BATCH_FILES, {"id": file["file_id"]}, f"{store['id']}/{batch['id']}")
        add_file(backend, store["id"], file, batch["id"])
    return Answer(backend.objects.get(BATCHES, batch["id"], store["id"]))


def cancel_file_batch(request: Request, backend: Backend) -> Answer:
    store_id, batch_id = request.path["vector_store_id"], request.path["batch_id"]
    batch = backend.require_object(BATCHES, batch_id, store_id)
    if batch["status"] != "in_progress":
        return Answer(batch)
    batch["status"] = "cancelled"
    backend.objects.put(BATCHES, batch, store_id)
    for member in backend.objects.all(BATCH_FILES, f"{store_id}/{batch_id}"):
        store_file = backend.objects.get(STORE_FILES, member["id"], store_id)
        if store_file is not None and store_file["status"] == "in_progress":
            change_state(backend, store_file, status="cancelled")
    return Answer(backend.objects.get(BATCHES, batch_id, store_id) or batch)


def list_file_batch(request: Request, backend: Backend) -> Answer:
    store_id, batch_id = request.path["vector_store_id"], request.path["batch_id"]
    backend.require_object(BATCHES, batch_id, store_id)
    wanted = request.query.get("filter")

    def where(member: Mapping[str, JSON]) -> bool:
        store_file = backend.objects.get(STORE_FILES, member["id"], store_id)
        return store_file is not None and wanted in (None, store_file["status"])

    answer = list_objects(request, backend, BATCH_FILES, f"{store_id}/{batch_id}", where=where)
    store_file = [backend.objects.get(STORE_FILES, member["id"], store_id) for member in answer.body["data"]]
    return Answer({**answer.body, "data": store_file})


def _by_state(request: Request) -> Condition:
    wanted = request.query.get("filter")
    return lambda store_file: wanted in (None, store_file["status"])


STORE = "/vector_stores/{vector_store_id}"
HANDLERS: Mapping[str, Handler] = {
    f"GET {STORE}/files": build_list_handler(STORE_FILES, (STORES, "vector_store_id"), where=_by_state),
    f"POST {STORE}/files": add_store_file,
    f"GET {STORE}/files/{{file_id}}": build_retrieve_handler(STORE_FILES, "file_id", "vector_store_id"),
    f"POST {STORE}/files/{{file_id}}": update_store_file,
    f"DELETE {STORE}/files/{{file_id}}": delete_store_file,
    f"GET {STORE}/files/{{file_id}}/content": retrieve_content,
    f"POST {STORE}/file_batches": create_file_batch,
    f"GET {STORE}/file_batches/{{batch_id}}": build_retrieve_handler(BATCHES, "batch_id", "vector_store_id"),
    f"POST {STORE}/file_batches/{{batch_id}}/cancel": cancel_file_batch,
    f"GET {STORE}/file_batches/{{batch_id}}/files": list_file_batch,
}
