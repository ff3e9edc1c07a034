"""Pagination of any HTTP API: by a cursor, a link, a page number or an offset."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Annotated, Literal, Protocol
from urllib.parse import urljoin, urlsplit

from pydantic import Field

from connector.documents import dump
from connector.errors import ConfigurationError
from connector.http.parameters import Section
from connector.model import JSON, Outcome, is_object
from connector.transform.paths import MISSING, parse_path, path_getter

__all__ = ["AnyPagination", "Pagination"]

RequestFields = Mapping[str, JSON]
NEXT = re.compile(r"""<([^<>]*)>\s*;[^,<]*\brel="?next\b""")


class Pagination(Protocol):
    """A way from one page to the next."""

    def first(self, request: RequestFields) -> RequestFields:
        """Return the request of the first page."""
        ...

    def after(self, request: RequestFields, outcome: Outcome, items: list[JSON], base: str) -> RequestFields | None:
        """Return the request of the page after this one; None after the last."""
        ...

    def fingerprint(self, request: RequestFields, outcome: Outcome) -> str:
        """Return a text that comes twice only if the pages go in a circle."""
        ...


class _Base(Section):
    """What most kinds share."""

    def first(self, request: RequestFields) -> RequestFields:
        return request

    def fingerprint(self, request: RequestFields, outcome: Outcome) -> str:  # noqa: ARG002  some ways look at the answer
        return dump(dict(request)).decode()


class Cursor(_Base):
    """A value of each answer goes into the request of the next page."""

    by: Literal["cursor"] = "cursor"
    read: str = Field(description="The place of the cursor in the answer, such as meta.next.")
    write: str = Field(description="Where it goes in the request, such as query.cursor.")

    def after(self, request: RequestFields, outcome: Outcome, items: list[JSON], base: str) -> RequestFields | None:  # noqa: ARG002
        cursor = path_getter(parse_path(self.read))(outcome.body)
        return None if cursor is MISSING or cursor in (None, "", False) else _with(request, self.write, cursor)


class NextLink(_Base):
    """The address of the next page is in the answer or in its Link header."""

    by: Literal["next_link"] = "next_link"
    read: str | None = Field(
        default=None, description="The place of the link in the answer; the Link header unless given."
    )

    def after(self, request: RequestFields, outcome: Outcome, items: list[JSON], base: str) -> RequestFields | None:  # noqa: ARG002
        link = _header_link(outcome) if self.read is None else path_getter(parse_path(self.read))(outcome.body)
        if link is MISSING or not link:
            return None
        found = urlsplit(urljoin(f"{base}{str(request['path']).partition('?')[0]}", str(link)))
        home = urlsplit(base)
        if (found.scheme, found.netloc) != (home.scheme, home.netloc):
            raise ConfigurationError(
                f"the next page's link leads to {found.netloc[:100]!r}, which is not the client's host"
            )
        path = f"{found.path}?{found.query}" if found.query else found.path
        return {name: value for name, value in request.items() if name != "query"} | {"path": path}


class _Counted(_Base):
    """Kinds that count. They end with an empty page; an API that ignores the count is noticed."""

    def fingerprint(self, request: RequestFields, outcome: Outcome) -> str:  # noqa: ARG002  the requests always differ
        return hashlib.sha256(repr(outcome.body).encode(errors="replace")).hexdigest()


class Page(_Counted):
    """The request names the page by its number."""

    by: Literal["page"] = "page"
    write: str = Field(default="query.page", description="Where the number goes in the request.")
    start: int = Field(default=1, ge=0, description="The first page's number.")

    def first(self, request: RequestFields) -> RequestFields:
        return _with(request, self.write, self.start)

    def after(self, request: RequestFields, outcome: Outcome, items: list[JSON], base: str) -> RequestFields | None:  # noqa: ARG002
        number: int = path_getter(parse_path(self.write))(request)
        return _with(request, self.write, number + 1) if items else None


class Offset(_Counted):
    """The request says how many documents were read before."""

    by: Literal["offset"] = "offset"
    write: str = Field(default="query.offset", description="Where the count goes in the request.")

    def first(self, request: RequestFields) -> RequestFields:
        return _with(request, self.write, 0)

    def after(self, request: RequestFields, outcome: Outcome, items: list[JSON], base: str) -> RequestFields | None:  # noqa: ARG002
        offset: int = path_getter(parse_path(self.write))(request)
        return _with(request, self.write, offset + len(items)) if items else None


AnyPagination = Annotated[Cursor | NextLink | Page | Offset, Field(discriminator="by")]


def _with(request: RequestFields, place: str, value: JSON) -> RequestFields:
    """Return the request with a value at a dotted path."""
    first, *rest = parse_path(place)
    if not rest:
        return {**request, first: value}
    inner = request.get(first)
    return {**request, first: _with(inner if is_object(inner) else {}, ".".join(rest), value)}


def _header_link(outcome: Outcome) -> JSON:
    found = NEXT.search(outcome.headers.get("link", ""))
    return found[1] if found else None
