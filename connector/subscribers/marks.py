"""Bookmarks between the pages of one request."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from connector.documents import dump
from connector.model import JSON, is_object
from connector.subscribers.context import Bookmark, Context

__all__ = ["PageMarks"]


class PageMarks:
    """Where the pages of a request stand, for the case that the reading is broken off."""

    def __init__(self, context: Context, request: JSON) -> None:
        self._context = context
        self._part = f"pages of {hashlib.blake2b(dump(request), digest_size=12).hexdigest()}"
        known = context.marked(self._part)
        place: Mapping[str, JSON] = known.place if is_object(known.place) else {}
        self.whole: bool = place.get("whole") is True
        """Whether all pages have been read."""
        self.place: Mapping[str, JSON] = place.get("next") or {}
        """What leads to the page that is next, beside the request."""
        self.count = known.count
        """How many documents lie before that page."""
        context.mark(Bookmark(self._part, None, self.count))

    def page(self, items: int, after: Mapping[str, JSON] | None) -> None:
        """One page was given; what leads to the page after it, unless it was the last."""
        self.count += items
        place: JSON = {"whole": True} if after is None else {"next": dict(after)}
        self._context.mark(Bookmark(self._part, place, self.count))
