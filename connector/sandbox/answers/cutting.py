"""Where a text ends: at a stop sequence, or at the number of tokens that were allowed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from connector.model import JSON
from connector.sandbox.answers.tokens import pieces

__all__ = ["cut", "stops_of"]


def cut(text: str, stops: Sequence[str], most: int | None) -> tuple[str, int, bool]:
    """The text up to its end, how many tokens that is, and whether tokens ran out."""
    for stop in stops:
        text = text.partition(stop)[0] if stop else text
    found = pieces(text)
    if most is None or len(found) <= most:
        return text, len(found), False
    return "".join(found[:most]), most, True


def stops_of(stop: JSON) -> Sequence[str]:
    """The stop sequences of a request, of which there may be one, several or none."""
    return list(_stops(stop)) if stop else ()


def _stops(stop: JSON) -> Iterator[str]:
    if isinstance(stop, str):
        yield stop
    else:
        yield from stop
