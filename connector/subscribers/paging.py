"""How the pages of any API go on: by a cursor, a link, a number or an offset."""

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

__all__ = ["PAGING", "Paging", "beyond", "moved"]

Asked = Mapping[str, JSON]
NEXT = re.compile(r"""<([^<>]*)>\s*;[^,<]*\brel="?next\b""")


class Paging(Protocol):
    """A way from one page to the next."""

    def first(self, request: Asked) -> Asked:
        """The request of the first page."""
        ...

    def after(self, request: Asked, outcome: Outcome, items: list[JSON], base: str) -> Asked | None:
        """The request of the page after this one; nothing after the last."""
        ...

    def mark(self, request: Asked, outcome: Outcome) -> str:
        """What would be the same twice if the pages went in a circle."""
        ...


class _Plain(Section):
    """What most ways share."""

    def first(self, request: Asked) -> Asked:
        return request

    def mark(self, request: Asked, outcome: Outcome) -> str:  # noqa: ARG002  some ways look at the answer
        return dump(dict(request)).decode()


class Cursor(_Plain):
    """A value of each answer that asks for what comes after it."""

    by: Literal["cursor"] = "cursor"
    read: str = Field(description="Where the cursor stands in the answer, such as meta.next.")
    write: str = Field(description="Where it goes in the request, such as query.cursor.")

    def after(self, request: Asked, outcome: Outcome, items: list[JSON], base: str) -> Asked | None:  # noqa: ARG002
        cursor = path_getter(parse_path(self.read))(outcome.body)
        return None if cursor is MISSING or cursor in (None, "", False) else _with(request, self.write, cursor)


class NextLink(_Plain):
    """The address of the next page, in the answer or in its Link header."""

    by: Literal["next_link"] = "next_link"
    read: str | None = Field(
        default=None, description="Where the link stands in the answer; in the Link header unless given."
    )

    def after(self, request: Asked, outcome: Outcome, items: list[JSON], base: str) -> Asked | None:  # noqa: ARG002
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


class _Counted(_Plain):
    """Ways that count; they end with an empty page, and an API that ignores the count is noticed."""

    def mark(self, request: Asked, outcome: Outcome) -> str:  # noqa: ARG002  the requests always differ
        return hashlib.sha256(repr(outcome.body).encode(errors="replace")).hexdigest()


class Page(_Counted):
    """Pages with numbers."""

    by: Literal["page"] = "page"
    write: str = Field(default="query.page", description="Where the number goes in the request.")
    start: int = Field(default=1, ge=0, description="The first page's number.")

    def first(self, request: Asked) -> Asked:
        return _with(request, self.write, self.start)

    def after(self, request: Asked, outcome: Outcome, items: list[JSON], base: str) -> Asked | None:  # noqa: ARG002
        number: int = path_getter(parse_path(self.write))(request)
        return _with(request, self.write, number + 1) if items else None


class Offset(_Counted):
    """Pages by how many documents were read."""

    by: Literal["offset"] = "offset"
    write: str = Field(default="query.offset", description="Where the count goes in the request.")

    def first(self, request: Asked) -> Asked:
        return _with(request, self.write, 0)

    def after(self, request: Asked, outcome: Outcome, items: list[JSON], base: str) -> Asked | None:  # noqa: ARG002
        offset: int = path_getter(parse_path(self.write))(request)
        return _with(request, self.write, offset + len(items)) if items else None


PAGING = Annotated[Cursor | NextLink | Page | Offset, Field(discriminator="by")]


def _with(request: Asked, place: str, value: JSON) -> Asked:
    """The request with a value at a dotted place."""
    first, *rest = parse_path(place)
    if not rest:
        return {**request, first: value}
    inner = request.get(first)
    return {**request, first: _with(inner if is_object(inner) else {}, ".".join(rest), value)}


def _header_link(outcome: Outcome) -> JSON:
    found = NEXT.search(outcome.headers.get("link", ""))
    return found[1] if found else None


def moved(first: Asked, later: Asked) -> dict[str, JSON]:
    """What makes a later page's request of the first one, and nothing that both have."""
    found: dict[str, JSON] = {name: None for name in first if name not in later}
    for name, value in later.items():
        before = first.get(name)
        if is_object(value) and is_object(before):
            inner = {key: item for key, item in value.items() if key not in before or before[key] != item}
            found |= {name: inner} if inner else {}
        elif value != before:
            found[name] = value
    return found


def beyond(first: Asked, change: Asked) -> Asked:
    """The later page's request again."""
    found: dict[str, JSON] = {name: value for name, value in first.items() if change.get(name, value) is not None}
    for name, value in change.items():
        before = first.get(name)
        if is_object(value):
            found[name] = {**(before if is_object(before) else {}), **value}
        elif value is not None:
            found[name] = value
    return found
