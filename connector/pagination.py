"""Pagination of the API's lists: the entities of a page, and the query of the next one.

`cursor`: after = last_id, else the last item's id; ends on has_more false.
`next`:   after = the body's next.
`page`:   page = the body's next_page, which one list calls next.
"""

from __future__ import annotations

from collections.abc import Mapping

from connector.model import JSON, is_list, is_object

__all__ = ["items_of", "next_query"]


def items_of(body: JSON) -> list[JSON]:
    """Return the entities of an answer: the items of a list, or the answer itself."""
    items = body.get("data") if is_object(body) else None
    if is_list(items):
        return items
    return [] if body is None else [body]


def next_query(pages: str | None, body: JSON) -> dict[str, str]:
    """Return the query parameters of the page after this one; empty after the last."""
    if pages is None or not is_object(body) or body.get("has_more") is False:
        return {}
    name, token = {"cursor": _cursor, "next": _next, "page": _page}[pages](body)
    return {name: str(token)} if token else {}


def _cursor(body: Mapping[str, JSON]) -> tuple[str, JSON]:
    items = items_of(body)
    last = items[-1] if items else None
    return "after", body.get("last_id") or (last.get("id") if is_object(last) else None)


def _next(body: Mapping[str, JSON]) -> tuple[str, JSON]:
    return "after", body.get("next")


def _page(body: Mapping[str, JSON]) -> tuple[str, JSON]:
    return "page", body.get("next_page") or body.get("next")
