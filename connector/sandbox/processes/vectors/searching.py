"""The search of a vector store: chunks of its files, nearest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from connector.model import JSON, is_list
from connector.sandbox.call import Answer
from connector.sandbox.processes.files.stored import FILES
from connector.sandbox.processes.kept import body_of
from connector.sandbox.processes.vectors.filters import passes
from connector.sandbox.processes.vectors.ranking import scores
from connector.sandbox.processes.vectors.stored import CHUNKS, HELD, touch
from connector.sandbox.processes.vectors.stores import living
from connector.shapes import members

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from connector.sandbox.call import Call, Handler, World

__all__ = ["HANDLERS", "Found", "search"]

MOST = 10


@dataclass(frozen=True, slots=True)
class Found:
    """A chunk, the file it comes from, and how near it is."""

    held: Mapping[str, JSON]
    text: str
    score: float


def search(world: World, store_id: str, query: str, filters: Mapping[str, JSON] | None = None) -> list[Found]:
    """All chunks of a store's files that pass the filters, nearest first."""
    chunks = list(_chunks(world, store_id, filters))
    ranked = scores(query, [text for _, text in chunks])
    found = [Found(held, text, score) for (held, text), score in zip(chunks, ranked, strict=True)]
    return sorted(found, key=lambda one: -one.score)


def answer(call: Call, world: World) -> Answer:
    store = living(world, call.path["vector_store_id"])
    asked = body_of(call)
    queries: Sequence[str] = asked["query"] if is_list(asked["query"]) else [asked["query"]]
    least = members(asked.get("ranking_options")).get("score_threshold", 0)
    near = [one for one in search(world, store["id"], " ".join(queries), asked.get("filters")) if one.score >= least]
    touch(world, store)
    page: dict[str, JSON] = {"object": "vector_store.search_results.page", "search_query": list(queries)}
    page["data"] = [_shown(world, one) for one in near[: asked.get("max_num_results", MOST)]]
    return Answer({**page, "has_more": False, "next_page": None})


def _chunks(
    world: World, store_id: str, filters: Mapping[str, JSON] | None
) -> Iterator[tuple[Mapping[str, JSON], str]]:
    for held in world.objects.all(HELD, store_id):
        if held["status"] == "completed" and passes(held.get("attributes") or {}, filters):
            for chunk in world.objects.all(CHUNKS, f"{store_id}/{held['id']}"):
                yield held, chunk["text"]


def _shown(world: World, found: Found) -> dict[str, JSON]:
    file = world.objects.get(FILES, found.held["id"]) or {"filename": ""}
    shown: dict[str, JSON] = {"file_id": found.held["id"], "filename": file["filename"], "score": found.score}
    return {
        **shown,
        "attributes": found.held.get("attributes") or {},
        "content": [{"type": "text", "text": found.text}],
    }


HANDLERS: Mapping[str, Handler] = {"POST /vector_stores/{vector_store_id}/search": answer}
