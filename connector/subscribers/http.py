"""Any HTTP API: one request, or as many as its pages take."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Literal

from pydantic import Field

from connector.documents import to_json
from connector.errors import ConfigurationError
from connector.http.parameters import Section
from connector.model import JSON, CallFailed, is_document, is_list
from connector.pagination import items_of
from connector.subscribers.bookmarks import PageBookmarks, diff_requests
from connector.subscribers.pagination import AnyPagination, Pagination
from connector.subscribers.prototype import Context, Prototype
from connector.transform.paths import MISSING, parse_path, path_getter

__all__ = ["HTTP"]


class HttpRequest(Section):
    """A request; its texts may hold placeholders."""

    method: Literal["GET", "POST", "HEAD"] = Field(default="GET", description="The HTTP method.")
    path: str = Field(description="The path below the client's address, such as /items.")
    query: dict[str, JSON] = Field(default_factory=dict[str, JSON], description="Query parameters.")
    headers: dict[str, str] = Field(default_factory=dict[str, str], description="Headers of your own.")
    payload: JSON = Field(default=None, description="A JSON body.")


class Parameters(Section):
    """What to read, and how its pages go on."""

    client: str = Field(description="The client to read with.")
    request: HttpRequest = Field(description="{method, path, query, headers, payload}.")
    items: str | None = Field(
        default=None, description="The place of the documents in an answer; `data`, or the answer itself, unless given."
    )
    paging: AnyPagination | None = Field(default=None, description="How the pages go on; one page unless given.")
    limit: int | None = Field(default=None, ge=0, description="The largest number of documents.")


class HttpReader:
    """Reads pages through a client."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters

    async def documents(self, context: Context) -> AsyncGenerator[JSON, None]:
        left = self._parameters.limit
        if left == 0:
            return
        async with aclosing(self._pages(context)) as pages:
            async for before, items in pages:
                most = None if left is None else max(left - before, 0)
                for item in items[:most]:
                    yield to_json(item)
                left = None if most is None else most - len(items)
                if left is not None and left <= 0:
                    return

    async def explain(self, context: Context) -> JSON:
        client = context.client(self._parameters.client)
        async with aclosing(context.requests(self._template(), {})) as requests:
            async for request in requests:
                asked = dict(_first(self._parameters.paging, request))
                wire = client.prepare_raw(
                    str(asked.pop("method", "GET")), str(asked.pop("path")), json=asked.pop("payload", None), **asked
                )
                return client.explain(wire).as_document()
        return None

    def _template(self) -> dict[str, JSON]:
        return self._parameters.request.model_dump(exclude_defaults=True)

    async def _pages(self, context: Context) -> AsyncGenerator[tuple[int, list[JSON]], None]:
        """Yield the pages of every request, each with how many documents an earlier reading took just before it."""
        async with aclosing(context.requests(self._template(), {})) as requests:
            async for request in requests:
                first = _first(self._parameters.paging, request)
                bookmarks = PageBookmarks(context, first)
                if bookmarks.is_complete:
                    continue
                async with aclosing(self._pages_of(first, context, bookmarks)) as pages:
                    before = bookmarks.count
                    async for items in pages:
                        yield before, items
                        before = 0

    async def _pages_of(
        self, first: Mapping[str, JSON], context: Context, bookmarks: PageBookmarks
    ) -> AsyncGenerator[list[JSON], None]:
        paging = self._parameters.paging
        base = context.client(self._parameters.client).base_uri
        request = bookmarks.next_request()
        seen: set[str] = set()
        while True:
            outcome = await context.call(self._parameters.client, "http", request)
            if not outcome.ok:
                raise CallFailed(outcome)
            items = self._items(outcome.body)
            yield items
            following = paging.after(request, outcome, items, base) if paging else None
            bookmarks.add_page(len(items), None if following is None else diff_requests(first, following))
            if following is None:
                return
            fingerprint = paging.fingerprint(following, outcome) if paging else ""
            if fingerprint in seen:
                raise ConfigurationError(
                    f"paging goes in a circle: {fingerprint[:200]!r} came twice; entities after it were not read"
                )
            seen.add(fingerprint)
            request = following

    def _items(self, body: JSON) -> list[JSON]:
        if self._parameters.items is None:
            return body if is_list(body) else items_of(body)
        found = path_getter(parse_path(self._parameters.items))(body)
        if found is MISSING or found is None:
            return []
        return found if is_list(found) else [found]


def _first(paging: Pagination | None, request: JSON) -> Mapping[str, JSON]:
    if not is_document(request) or not isinstance(request.get("path"), str):
        raise ConfigurationError(
            "the http subscriber's input chain must give {path: …}, with query, headers and payload if any"
        )
    return paging.first(request) if paging else request


HTTP = Prototype(
    "http", "Any HTTP API: raw requests, paged by cursor, link, number or offset.", Parameters, HttpReader, ("request",)
)
