"""A text in chunks that overlap, as a vector store cuts it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from connector.model import JSON
from connector.sandbox.call import Refused
from connector.shapes import members

__all__ = ["chunks_of", "strategy_of"]

AUTOMATIC = {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}
WORD = re.compile(r"\S+\s*")


def strategy_of(asked: JSON) -> dict[str, JSON]:
    """The static strategy that a request's choice comes to."""
    static = {**AUTOMATIC, **members(members(asked).get("static"))}
    if static["chunk_overlap_tokens"] > static["max_chunk_size_tokens"] // 2:
        message = "Invalid 'chunk_overlap_tokens': it must not exceed half of 'max_chunk_size_tokens'."
        raise Refused(400, message, param="chunking_strategy.static.chunk_overlap_tokens")
    return {"type": "static", "static": static}


def chunks_of(text: str, strategy: Mapping[str, JSON]) -> list[str]:
    """The text's chunks, a word taken for a token; all of it is in one chunk or more."""
    static = members(strategy.get("static")) or AUTOMATIC
    size, overlap = static["max_chunk_size_tokens"], static["chunk_overlap_tokens"]
    words = WORD.findall(text)
    last = max(len(words) - overlap, 1)
    return ["".join(words[start : start + size]) for start in range(0, last, size - overlap)] if words else []
