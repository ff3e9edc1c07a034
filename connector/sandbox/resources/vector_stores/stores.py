"""Vector stores: created, updated, deleted, expired."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.model import JSON
from connector.sandbox.backend import Backend, Handler
from connector.sandbox.messages import Answer, Request
from connector.sandbox.resources.crud import (
    bad_request,
    build_list_handler,
    build_retrieve_handler,
    delete_object,
    get_body,
)
from connector.sandbox.resources.files.storage import FILES, USES
from connector.sandbox.resources.vector_stores.index import (
    STORE_FILES,
    STORES,
    add_file,
    count_states,
    read_strategy,
    touch_store,
)
from connector.sandbox.timers import Timer

__all__ = ["HANDLERS", "expire_store", "require_active_store"]


def create_store(request: Request, backend: Backend) -> Answer:
    body = get_body(request)
    read_strategy(body.get("chunking_strategy"))
    for file_id in body.get("file_ids", []):
        backend.require_object(FILES, file_id)
    store: dict[str, JSON] = {"id": backend.new_id("vs_"), "object": "vector_store", "created_at": int(backend.now())}
    store |= {"name": body.get("name", ""), "usage_bytes": 0, "file_counts": count_states(), "status": "completed"}
    store |= {"expires_after": body["expires_after"]} if "expires_after" in body else {}
    store["metadata"] = body.get("metadata", {})
    _save_store(backend, store)
    for file_id in body.get("file_ids", []):
        add_file(backend, store["id"], {"file_id": file_id, "chunking_strategy": body.get("chunking_strategy")})
    return Answer(backend.objects.get(STORES, store["id"]))


def update_store(request: Request, backend: Backend) -> Answer:
    store = backend.require_object(STORES, request.path["vector_store_id"])
    body: Mapping[str, Any] = request.payload or {}
    store |= {name: body[name] for name in ("name", "metadata") if body.get(name) is not None}
    if "expires_after" in body:
        store.pop("expires_after", None)
        store |= {"expires_after": body["expires_after"]} if body["expires_after"] else {}
    _save_store(backend, store)
    return Answer(store)


def delete_store(request: Request, backend: Backend) -> Answer:
    for store_file in backend.objects.all(STORE_FILES, request.path["vector_store_id"]):
        backend.objects.delete(USES, request.path["vector_store_id"], store_file["id"])
    return delete_object(request, backend, STORES, "vector_store_id", "vector_store.deleted")


def _save_store(backend: Backend, store: dict[str, Any]) -> None:
    touch_store(backend, store)
    if store["expires_at"]:
        backend.scheduler.schedule(STORES, store["id"], store["expires_at"])


def require_active_store(backend: Backend, store_id: str) -> dict[str, Any]:
    """Return the store of an id; raise ApiError for one that has expired."""
    store = backend.require_object(STORES, store_id)
    if store["status"] == "expired" and not backend.options.lenient:
        raise bad_request(f"Vector store '{store_id}' has expired.", code="expired")
    return store


async def expire_store(backend: Backend, timer: Timer) -> float | None:
    """Expire a store that was not used; return the new expiry of one that was."""
    store = backend.objects.get(STORES, timer.id)
    if store is None or not store.get("expires_at"):
        return None
    if store["expires_at"] > backend.now():
        return float(store["expires_at"])
    backend.objects.put(STORES, {**store, "status": "expired"})
    return None


HANDLERS: Mapping[str, Handler] = {
    "GET /vector_stores": build_list_handler(STORES),
    "POST /vector_stores": create_store,
    "GET /vector_stores/{vector_store_id}": build_retrieve_handler(STORES, "vector_store_id"),
    "POST /vector_stores/{vector_store_id}": update_store,
    "DELETE /vector_stores/{vector_store_id}": delete_store,
}
