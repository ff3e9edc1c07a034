"""The search of a vector store: filters, ranking by shared words, hits."""

from __future__ import annotations

import math
import operator
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from connector.model import JSON, is_list, items, members
from connector.sandbox.backend import Backend, Handler
from connector.sandbox.messages import Answer, Request
from connector.sandbox.resources.crud import get_body
from connector.sandbox.resources.files.storage import FILES
from connector.sandbox.resources.vector_stores.index import CHUNKS, STORE_FILES, touch_store
from connector.sandbox.resources.vector_stores.stores import require_active_store

__all__ = ["HANDLERS"]

COMPARISONS: Mapping[str, Callable[[JSON, JSON], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "in": lambda found, allowed: found in items(allowed),
    "nin": lambda found, allowed: found not in items(allowed),
}
TRUE_WITHOUT = ("ne", "nin")
"""Comparisons that are true of a missing attribute."""
WORD = re.compile(r"\w+")
ENDINGS = ("ing", "ies", "ed", "es", "s", "e", "y")
DEFAULT_HITS = 10


def matches_filter(attributes: Mapping[str, JSON], wanted: Mapping[str, JSON] | None) -> bool:
    """Return whether attributes match a comparison, or comparisons joined by `and` or `or`."""
    if not wanted:
        return True
    kind = wanted["type"]
    if kind in ("and", "or"):
        verdicts = [matches_filter(attributes, one) for one in wanted["filters"]]
        return all(verdicts) if kind == "and" else any(verdicts)
    if wanted["key"] not in attributes:
        return kind in TRUE_WITHOUT
    try:
        return COMPARISONS[kind](attributes[wanted["key"]], wanted["value"])
    except TypeError:  # text is neither above nor below a number
        return False


def extract_terms(text: str) -> list[str]:
    """Return the words of a text without case and endings."""
    return [_stem(word) for word in WORD.findall(text.casefold())]


def score_texts(query: str, texts: Sequence[str]) -> list[float]:
    """Return how near each text is to the query, from 0 to 1."""
    found = [Counter(extract_terms(text)) for text in texts]
    spread = Counter(term for counts in found for term in counts)
    wanted = Counter(extract_terms(query))
    weights = {term: math.log(1 + (1 + len(texts)) / (1 + spread[term])) for term in wanted}
    whole = sum(weight * wanted[term] for term, weight in weights.items())
    return [_score(counts, wanted, weights, whole) for counts in found]


def _score(counts: Counter[str], wanted: Counter[str], weights: dict[str, float], whole: float) -> float:
    """Return mostly the share of the query in the text, and a little the share of the text in the query."""
    if not whole:
        return 0.0
    covered = sum(weight * min(counts[term], wanted[term]) for term, weight in weights.items()) / whole
    shared = sum(min(counts[term], wanted[term]) for term in wanted) / max(counts.total(), wanted.total())
    return round(0.9 * covered + 0.1 * shared, 6)


def _stem(word: str) -> str:
    ending = next((one for one in ENDINGS if word.endswith(one) and len(word) - len(one) >= 3), "")
    return word.removesuffix(ending)


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk, its file and its score."""

    held: Mapping[str, JSON]
    text: str
    score: float


def search_store(backend: Backend, store_id: str, query: str, filters: Mapping[str, JSON] | None = None) -> list[Hit]:
    """Return all chunks of a store's files that match the filters, nearest first."""
    chunks = list(_iterate_chunks(backend, store_id, filters))
    ranked = score_texts(query, [text for _, text in chunks])
    found = [Hit(store_file, text, score) for (store_file, text), score in zip(chunks, ranked, strict=True)]
    return sorted(found, key=lambda one: -one.score)


def search_vector_store(request: Request, backend: Backend) -> Answer:
    store = require_active_store(backend, request.path["vector_store_id"])
    body = get_body(request)
    queries: Sequence[str] = body["query"] if is_list(body["query"]) else [body["query"]]
    least = members(body.get("ranking_options")).get("score_threshold", 0)
    near = [
        one for one in search_store(backend, store["id"], " ".join(queries), body.get("filters")) if one.score >= least
    ]
    touch_store(backend, store)
    page: dict[str, JSON] = {"object": "vector_store.search_results.page", "search_query": list(queries)}
    page["data"] = [_build_hit(backend, one) for one in near[: body.get("max_num_results", DEFAULT_HITS)]]
    return Answer({**page, "has_more": False, "next_page": None})


def _iterate_chunks(
    backend: Backend, store_id: str, filters: Mapping[str, JSON] | None
) -> Iterator[tuple[Mapping[str, JSON], str]]:
    for store_file in backend.objects.all(STORE_FILES, store_id):
        if store_file["status"] == "completed" and matches_filter(store_file.get("attributes") or {}, filters):
            for chunk in backend.objects.all(CHUNKS, f"{store_id}/{store_file['id']}"):
                yield store_file, chunk["text"]


def _build_hit(backend: Backend, found: Hit) -> dict[str, JSON]:
    file = backend.objects.get(FILES, found.held["id"]) or {"filename": ""}
    shown: dict[str, JSON] = {"file_id": found.held["id"], "filename": file["filename"], "score": found.score}
    return {
        **shown,
        "attributes": found.held.get("attributes") or {},
        "content": [{"type": "text", "text": found.text}],
    }


HANDLERS: Mapping[str, Handler] = {"POST /vector_stores/{vector_store_id}/search": search_vector_store}
