"""The index of a vector store: its files, their states, and their text in chunks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from connector.model import JSON, members
from connector.sandbox.backend import Backend
from connector.sandbox.messages import ApiError
from connector.sandbox.resources.files.storage import FILES, USES
from connector.sandbox.resources.vector_stores.file_text import UnreadableFile, extract_text
from connector.sandbox.timers import Timer

__all__ = [
    "BATCHES",
    "CHUNKS",
    "STORES",
    "STORE_FILES",
    "add_file",
    "change_state",
    "count_states",
    "detach_file",
    "index_file",
    "read_strategy",
    "touch_store",
]

DEFAULT_SIZES = {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}
WORD = re.compile(r"\S+\s*")
STORES = "vector stores"
STORE_FILES = "vector store files"
BATCHES = "vector store file batches"
CHUNKS = "sandbox chunks"
MEMBERSHIP = "sandbox vector store file membership"
"""Beside a file of a store: the batch that it was added with."""
DAY = 86400


def read_strategy(body: JSON) -> dict[str, JSON]:
    """Return the static strategy of a request's choice."""
    static = {**DEFAULT_SIZES, **members(members(body).get("static"))}
    if static["chunk_overlap_tokens"] > static["max_chunk_size_tokens"] // 2:
        message = "Invalid 'chunk_overlap_tokens': it must not exceed half of 'max_chunk_size_tokens'."
        raise ApiError(400, message, param="chunking_strategy.static.chunk_overlap_tokens")
    return {"type": "static", "static": static}


def split_chunks(text: str, strategy: Mapping[str, JSON]) -> list[str]:
    """Return the chunks of a text; a word counts as a token."""
    static = members(strategy.get("static")) or DEFAULT_SIZES
    size, overlap = static["max_chunk_size_tokens"], static["chunk_overlap_tokens"]
    words = WORD.findall(text)
    last = max(len(words) - overlap, 1)
    return ["".join(words[start : start + size]) for start in range(0, last, size - overlap)] if words else []


def count_states(**known: int) -> dict[str, int]:
    """Return how many files are in which state."""
    states = {state: known.get(state, 0) for state in ("in_progress", "completed", "failed", "cancelled")}
    return {**states, "total": sum(states.values())}


def add_file(backend: Backend, store_id: str, body: Mapping[str, Any], batch_id: str = "") -> dict[str, JSON]:
    """Add a file, which is indexed when its timer is due."""
    file_id = body["file_id"]
    backend.require_object(FILES, file_id)
    strategy = read_strategy(body.get("chunking_strategy"))
    detach_file(backend, store_id, file_id)
    store_file: dict[str, JSON] = {"id": file_id, "object": "vector_store.file", "created_at": int(backend.now())}
    store_file |= {"vector_store_id": store_id, "status": "in_progress", "usage_bytes": 0, "last_error": None}
    store_file |= {"attributes": body.get("attributes") or {}, "chunking_strategy": strategy}
    backend.objects.put(STORE_FILES, store_file, store_id)
    backend.objects.put(USES, {"id": store_id}, file_id)
    backend.objects.put(MEMBERSHIP, {"id": file_id, "batch": batch_id}, store_id)
    _update_counts(backend, store_id, None, store_file)
    backend.scheduler.schedule(STORE_FILES, file_id, backend.now() + backend.options.pace, store_id)
    return store_file


async def index_file(backend: Backend, timer: Timer) -> None:
    """Split the text of a file into chunks, or save why it is unreadable."""
    file_id, store_id = timer.id, timer.parent
    store_file, file = backend.objects.get(STORE_FILES, file_id, store_id), backend.objects.get(FILES, file_id)
    if store_file is None or store_file["status"] != "in_progress":
        return
    filename = file["filename"] if file else ""
    try:
        chunks = split_chunks(extract_text(backend.read_content(file_id), filename), store_file["chunking_strategy"])
    except UnreadableFile as reason:
        change_state(
            backend,
            store_file,
            status="failed",
            last_error={"code": "unsupported_file", "message": f"{filename}: {reason}"},
        )
        return
    for index, chunk in enumerate(chunks):
        backend.objects.put(CHUNKS, {"id": str(index), "text": chunk}, f"{store_id}/{file_id}")
    change_state(backend, store_file, status="completed", usage_bytes=sum(len(chunk.encode()) for chunk in chunks))


def change_state(backend: Backend, store_file: Mapping[str, JSON], **changed: JSON) -> None:
    """Change the state of a file, and update the counts."""
    now = {**store_file, **changed}
    backend.objects.put(STORE_FILES, now, now["vector_store_id"])
    _update_counts(backend, now["vector_store_id"], store_file, now)


def detach_file(backend: Backend, store_id: str, file_id: str) -> None:
    """Remove a file from a store."""
    store_file = backend.objects.get(STORE_FILES, file_id, store_id)
    if store_file is None:
        return
    _update_counts(backend, store_id, store_file, None)
    backend.objects.delete(STORE_FILES, file_id, store_id)
    backend.objects.delete(MEMBERSHIP, file_id, store_id)
    backend.objects.delete(USES, store_id, file_id)


def touch_store(backend: Backend, store: dict[str, Any]) -> None:
    """Record a use of the store, which postpones its expiry."""
    store["last_active_at"] = int(backend.now())
    after = store.get("expires_after")
    store["expires_at"] = store["last_active_at"] + after["days"] * DAY if after else None
    backend.objects.put(STORES, store)


def _update_counts(
    backend: Backend, store_id: str, before: Mapping[str, JSON] | None, after: Mapping[str, JSON] | None
) -> None:
    """Update the counts of the store and of the file's batch after a change of state."""
    store = backend.objects.get(STORES, store_id)
    if store is not None:
        store["file_counts"] = _shift_counts(store["file_counts"], before, after)
        store["usage_bytes"] += (after["usage_bytes"] if after else 0) - (before["usage_bytes"] if before else 0)
        if store["status"] != "expired":
            store["status"] = "in_progress" if store["file_counts"]["in_progress"] else "completed"
        backend.objects.put(STORES, store)
    _update_batch_counts(backend, store_id, before, after)


def _update_batch_counts(
    backend: Backend, store_id: str, before: Mapping[str, JSON] | None, after: Mapping[str, JSON] | None
) -> None:
    file_id = (before or after or {})["id"]
    member = backend.objects.get(MEMBERSHIP, file_id, store_id)
    batch = backend.objects.get(BATCHES, member["batch"], store_id) if member and member["batch"] else None
    if batch is None:
        return
    batch["file_counts"] = _shift_counts(batch["file_counts"], before, after)
    if batch["status"] == "in_progress" and not batch["file_counts"]["in_progress"]:
        batch["status"] = "completed"
    backend.objects.put(BATCHES, batch, store_id)


def _shift_counts(
    known: Mapping[str, int], before: Mapping[str, JSON] | None, after: Mapping[str, JSON] | None
) -> dict[str, int]:
    states = {state: number for state, number in known.items() if state != "total"}
    if before is not None:
        states[before["status"]] -= 1
    if after is not None:
        states[after["status"]] += 1
    return count_states(**states)
