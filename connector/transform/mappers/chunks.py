"""`string-chunk`: a long text as a list of parts that overlap."""

from __future__ import annotations

import re
from collections.abc import Callable

from connector.model import JSON
from connector.transform.context import Scope
from connector.transform.declaration import Mapper
from connector.transform.errors import Unfit
from connector.transform.fields import choice, integer, text
from connector.transform.mappers.base import text_mapper
from connector.transform.template import Resolve
from connector.transform.tokenizer import encoding_for
from connector.transform.types import Map

__all__ = ["CHUNKS"]

BLANK = re.compile(r"\s")
SOFT = 5
"""A part may end earlier by this fraction of its size, where a word ends."""
End = Callable[[str, int], int]
"""Returns the end of a part by its start, or the start of the next by its end."""


def split_chunks(value: str, end_of: End, start_of: End) -> list[str]:
    """Return the parts of a text: each ends with a word if one ends near enough, and the next overlaps it."""
    parts: list[str] = []
    start = end = 0
    while end < len(value):
        # However large the overlap, every part goes on beyond the one before it.
        latest = max(end_of(value, start), end + 1)
        end = (
            latest
            if latest >= len(value)
            else _find_word_end(value, max(latest - (latest - start) // SOFT, end), latest)
        )
        parts.append(value[start:end])
        start = max(start_of(value, end), start + 1)
    return parts


def _find_word_end(value: str, earliest: int, latest: int) -> int:
    """Return the position behind the last blank between two positions, or the later of them."""
    blanks = [found.end() for found in BLANK.finditer(value, earliest, latest)]
    return blanks[-1] if blanks else latest


def _count_characters(size: int, overlap: int) -> tuple[End, End]:
    return lambda _, start: start + size, lambda _, end: end - overlap


def _count_tokens(size: int, overlap: int, model: str) -> tuple[End, End]:
    encoding = encoding_for(model)

    def end_of(value: str, start: int) -> int:
        # A token is seldom longer than 16 characters; what is longer is cut a little early, never late.
        return start + max(len(encoding.cut(value[start : start + 16 * size], size)), 1)

    def start_of(value: str, end: int) -> int:
        backwards = value[max(end - 16 * overlap, 0) : end]
        return end - len(backwards) + len(encoding.cut(backwards, max(len(encoding.encode(backwards)) - overlap, 0)))

    return end_of, start_of


def _build(size: Resolve, overlap: Resolve, by: str, model: Resolve) -> Map:
    def work(value: str, found: JSON, scope: Scope) -> JSON:
        most, shared = size(found, scope), overlap(found, scope)
        if shared >= most:
            raise Unfit(f"string-chunk: parts of {most} cannot share {shared}; the overlap must be smaller")
        measured = (
            _count_characters(most, shared) if by == "characters" else _count_tokens(most, shared, model(found, scope))
        )
        return list[JSON](split_chunks(value, *measured)) if value else []

    return text_mapper("string-chunk", work)


CHUNKS = (
    Mapper(
        "string-chunk",
        "The list of parts of a long text; a part ends with a word where one ends near enough.",
        {
            "size": integer("The most characters or tokens of a part.", least=1, required=True),
            "overlap": integer("How many of them a part shares with the one before.", least=0, default=0),
            "by": choice("What is counted.", ("characters", "tokens"), default="characters"),
            "model": text("The model whose tokens they are.", default="gpt-5"),
        },
        _build,
        sole="size",
    ),
)
