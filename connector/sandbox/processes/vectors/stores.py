"""Vector stores themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connector.model import JSON
from connector.sandbox.call import Answer
from connector.sandbox.processes.files.stored import FILES, USES
from connector.sandbox.processes.kept import body_of, deleted, lists, retrieves, wrong
from connector.sandbox.processes.vectors.chunks import strategy_of
from connector.sandbox.processes.vectors.stored import HELD, STORES, add, counts, touch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connector.sandbox.call import Call, Handler, World
    from connector.sandbox.processes.timetable import Entry

__all__ = ["HANDLERS", "expire", "living"]


def create(call: Call, world: World) -> Answer:
    asked = body_of(call)
    strategy_of(asked.get("chunking_strategy"))
    for file_id in asked.get("file_ids", []):
        world.found(FILES, file_id)
    store: dict[str, JSON] = {"id": world.new_id("vs_"), "object": "vector_store", "created_at": int(world.now())}
    store |= {"name": asked.get("name", ""), "usage_bytes": 0, "file_counts": counts(), "status": "completed"}
    store |= {"expires_after": asked["expires_after"]} if "expires_after" in asked else {}
    store["metadata"] = asked.get("metadata", {})
    _keep(world, store)
    for file_id in asked.get("file_ids", []):
        add(world, store["id"], {"file_id": file_id, "chunking_strategy": asked.get("chunking_strategy")})
    return Answer(world.objects.get(STORES, store["id"]))


def update(call: Call, world: World) -> Answer:
    store = world.found(STORES, call.path["vector_store_id"])
    asked: Mapping[str, Any] = call.payload or {}
    store |= {name: asked[name] for name in ("name", "metadata") if asked.get(name) is not None}
    if "expires_after" in asked:
        store.pop("expires_after", None)
        store |= {"expires_after": asked["expires_after"]} if asked["expires_after"] else {}
    _keep(world, store)
    return Answer(store)


def delete(call: Call, world: World) -> Answer:
    for held in world.objects.all(HELD, call.path["vector_store_id"]):
        world.objects.delete(USES, call.path["vector_store_id"], held["id"])
    return deleted(call, world, STORES, "vector_store_id", "vector_store.deleted")


def _keep(world: World, store: dict[str, Any]) -> None:
    touch(world, store)
    if store["expires_at"]:
        world.processes.open(STORES, store["id"], store["expires_at"])


def living(world: World, store_id: str) -> dict[str, Any]:
    """The store of that id, which must not have expired."""
    store = world.found(STORES, store_id)
    if store["status"] == "expired" and not world.options.lenient:
        raise wrong(f"Vector store '{store_id}' has expired.", code="expired")
    return store


async def expire(world: World, entry: Entry) -> float | None:
    """A store that nobody used expires; one that was used waits on."""
    store = world.objects.get(STORES, entry.id)
    if store is None or not store.get("expires_at"):
        return None
    if store["expires_at"] > world.now():
        return float(store["expires_at"])
    world.objects.put(STORES, {**store, "status": "expired"})
    return None


HANDLERS: Mapping[str, Handler] = {
    "GET /vector_stores": lists(STORES),
    "POST /vector_stores": create,
    "GET /vector_stores/{vector_store_id}": retrieves(STORES, "vector_store_id"),
    "POST /vector_stores/{vector_store_id}": update,
    "DELETE /vector_stores/{vector_store_id}": delete,
}
