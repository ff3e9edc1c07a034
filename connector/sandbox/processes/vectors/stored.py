"""What a vector store holds: its files, how far each is, and the chunks that are searched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from connector.model import JSON
from connector.sandbox.processes.files.stored import FILES, USES
from connector.sandbox.processes.vectors.chunks import chunks_of, strategy_of
from connector.sandbox.processes.vectors.texts import Unreadable, text_of

if TYPE_CHECKING:
    from connector.sandbox.call import World
    from connector.sandbox.processes.timetable import Entry

__all__ = ["BATCHES", "CHUNKS", "HELD", "STORES", "add", "counts", "end", "read", "take_out", "touch"]

STORES = "vector stores"
HELD = "vector store files"
BATCHES = "vector store file batches"
CHUNKS = "sandbox chunks"
MEMBERSHIP = "sandbox vector store file membership"
"""Beside a file of a store: the batch that it came with."""
DAY = 86400


def counts(**known: int) -> dict[str, int]:
    """How many files are in which state."""
    states = {state: known.get(state, 0) for state in ("in_progress", "completed", "failed", "cancelled")}
    return {**states, "total": sum(states.values())}


def add(world: World, store_id: str, asked: Mapping[str, Any], batch_id: str = "") -> dict[str, JSON]:
    """A file is put in; it will be read when its time comes."""
    file_id = asked["file_id"]
    world.found(FILES, file_id)
    strategy = strategy_of(asked.get("chunking_strategy"))
    take_out(world, store_id, file_id)
    held: dict[str, JSON] = {"id": file_id, "object": "vector_store.file", "created_at": int(world.now())}
    held |= {"vector_store_id": store_id, "status": "in_progress", "usage_bytes": 0, "last_error": None}
    held |= {"attributes": asked.get("attributes") or {}, "chunking_strategy": strategy}
    world.objects.put(HELD, held, store_id)
    world.objects.put(USES, {"id": store_id}, file_id)
    world.objects.put(MEMBERSHIP, {"id": file_id, "batch": batch_id}, store_id)
    _counted(world, store_id, None, held)
    world.processes.open(HELD, file_id, world.now() + world.options.pace, store_id)
    return held


async def read(world: World, entry: Entry) -> None:
    """A file's text is read and cut, or why that cannot be is kept."""
    file_id, store_id = entry.id, entry.parent
    held, file = world.objects.get(HELD, file_id, store_id), world.objects.get(FILES, file_id)
    if held is None or held["status"] != "in_progress":
        return
    filename = file["filename"] if file else ""
    try:
        chunks = chunks_of(text_of(world.content(file_id), filename), held["chunking_strategy"])
    except Unreadable as reason:
        end(world, held, status="failed", last_error={"code": "unsupported_file", "message": f"{filename}: {reason}"})
        return
    for place, chunk in enumerate(chunks):
        world.objects.put(CHUNKS, {"id": str(place), "text": chunk}, f"{store_id}/{file_id}")
    end(world, held, status="completed", usage_bytes=sum(len(chunk.encode()) for chunk in chunks))


def end(world: World, held: Mapping[str, JSON], **changed: JSON) -> None:
    """A file of a store goes over into another state."""
    now = {**held, **changed}
    world.objects.put(HELD, now, now["vector_store_id"])
    _counted(world, now["vector_store_id"], held, now)


def take_out(world: World, store_id: str, file_id: str) -> None:
    """A file is in the store no more."""
    held = world.objects.get(HELD, file_id, store_id)
    if held is None:
        return
    _counted(world, store_id, held, None)
    world.objects.delete(HELD, file_id, store_id)
    world.objects.delete(MEMBERSHIP, file_id, store_id)
    world.objects.delete(USES, store_id, file_id)


def touch(world: World, store: dict[str, Any]) -> None:
    """The store was used, which puts off its expiry."""
    store["last_active_at"] = int(world.now())
    after = store.get("expires_after")
    store["expires_at"] = store["last_active_at"] + after["days"] * DAY if after else None
    world.objects.put(STORES, store)


def _counted(world: World, store_id: str, before: Mapping[str, JSON] | None, after: Mapping[str, JSON] | None) -> None:
    """The counts follow a file from one state into another, in the store and in the batch it came with."""
    store = world.objects.get(STORES, store_id)
    if store is not None:
        store["file_counts"] = _moved(store["file_counts"], before, after)
        store["usage_bytes"] += (after["usage_bytes"] if after else 0) - (before["usage_bytes"] if before else 0)
        if store["status"] != "expired":
            store["status"] = "in_progress" if store["file_counts"]["in_progress"] else "completed"
        world.objects.put(STORES, store)
    _count_in_batch(world, store_id, before, after)


def _count_in_batch(
    world: World, store_id: str, before: Mapping[str, JSON] | None, after: Mapping[str, JSON] | None
) -> None:
    file_id = (before or after or {})["id"]
    member = world.objects.get(MEMBERSHIP, file_id, store_id)
    batch = world.objects.get(BATCHES, member["batch"], store_id) if member and member["batch"] else None
    if batch is None:
        return
    batch["file_counts"] = _moved(batch["file_counts"], before, after)
    if batch["status"] == "in_progress" and not batch["file_counts"]["in_progress"]:
        batch["status"] = "completed"
    world.objects.put(BATCHES, batch, store_id)


def _moved(
    known: Mapping[str, int], before: Mapping[str, JSON] | None, after: Mapping[str, JSON] | None
) -> dict[str, int]:
    states = {state: number for state, number in known.items() if state != "total"}
    if before is not None:
        states[before["status"]] -= 1
    if after is not None:
        states[after["status"]] += 1
    return counts(**states)
