"""Pages of lists: opaque cursors that say where the next page begins."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated

import orjson
from fastapi import Query

from connector.model import JSON, is_list
from connector.studio.problems import Detail, Refused

__all__ = ["Cursor", "Limit", "read_cursor", "write_cursor"]

Cursor = Annotated[
    str | None, Query(max_length=2000, description="Where the page begins: `next` of the page before; none at first.")
]
Limit = Annotated[int, Query(ge=1, le=500, description="The most items in a page.")]


def write_cursor(position: list[JSON]) -> str:
    """Return a position as an opaque text."""
    return urlsafe_b64encode(orjson.dumps(position)).decode().rstrip("=")


def read_cursor(cursor: str | None, length: int) -> list[JSON] | None:
    """Return the position of a cursor, None without one; raise Refused for a text that is none.

    Args:
        cursor: what `write_cursor` has made.
        length: how many values the position has.
    """
    if cursor is None:
        return None
    try:
        position: JSON = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        position = None
    if not is_list(position) or len(position) != length:
        wrong = Detail(where="query.cursor", found="no cursor of this list", allowed="`next` of the page before")
        raise Refused(
            404, "the list has no page at this cursor", "leave it out to begin at the first page", errors=[wrong]
        )
    return list(position)
