"""Raw requests and the ways their pages go on."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from connector.errors import ConfigurationError
from connector.model import CallFailed

BASE = {"prototype": "http", "base_uri": "https://api.example/v1"}


def counted(page: Any) -> Any:
    """Answers by a page's number, from a query parameter."""

    def handler(request: httpx.Request) -> httpx.Response:
        return page(request.url.params)

    return handler


def by_cursor(query: Any) -> Any:
    number = int(query.get("after", 0))
    return {"items": [number], "meta": {"next": number + 1 if number < 2 else None}}


def by_link(query: Any) -> Any:
    number = int(query.get("n", 0))
    return {"items": [number], "next": f"https://api.example/v1/things?n={number + 1}" if number < 2 else None}


def by_count(name: str) -> Any:
    return lambda query: {"items": [int(query[name])] if int(query[name]) < 3 else []}


@pytest.mark.parametrize(("paging", "page"), [
    ({"by": "cursor", "read": "meta.next", "write": "query.after"}, by_cursor),
    ({"by": "page", "write": "query.p", "start": 0}, by_count("p")),
    ({"by": "offset"}, by_count("offset")),
    ({"by": "next_link", "read": "next"}, by_link),
])  # fmt: skip
async def test_pages(read: Any, over: Any, paging: Any, page: Any) -> None:
    context, _ = over(counted(lambda q: httpx.Response(200, json=page(q))), **BASE)
    documents, _ = await read("http", context, client="c", request={"path": "/things"}, items="items", paging=paging)
    assert documents == [0, 1, 2]
    assert (
        await read("http", context, client="c", request={"path": "/things"}, items="items", paging=paging, limit=2)
    )[0] == [0, 1]


async def test_the_link_header(read: Any, over: Any) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        number = int(request.url.params.get("n", 0))
        link = f'</v1/first>; rel="first", <?n={number + 1}>; rel="next"' if number < 2 else '</v1/first>; rel="first"'
        return httpx.Response(200, json=[number], headers={"link": link})

    context, _ = over(handler, **BASE)
    documents, _ = await read("http", context, client="c", request={"path": "/things"}, paging={"by": "next_link"})
    assert documents == [0, 1, 2]


@pytest.mark.parametrize(("paging", "body"), [
    ({"by": "cursor", "read": "next", "write": "query.after"}, {"data": [1], "next": "same"}),
    ({"by": "page"}, {"data": [1]}),
    ({"by": "offset"}, {"data": [1]}),
    ({"by": "next_link", "read": "next"}, {"data": [1], "next": "/v1/things"}),
])  # fmt: skip
async def test_pages_in_a_circle_end_with_a_reason(read: Any, over: Any, paging: Any, body: Any) -> None:
    context, _ = over(lambda _: httpx.Response(200, json=body), **BASE)
    with pytest.raises(ConfigurationError, match="in a circle"):
        await read("http", context, client="c", request={"path": "/things"}, paging=paging)


async def test_a_link_to_another_host_is_not_followed(read: Any, over: Any) -> None:
    seen: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.host)
        return httpx.Response(200, json={"data": [1], "next": "https://evil.example/v1/things"})

    context, _ = over(handler, **BASE)
    with pytest.raises(ConfigurationError, match=r"leads to 'evil\.example'"):
        await read("http", context, client="c", request={"path": "/things"}, paging={"by": "next_link", "read": "next"})
    assert seen == ["api.example"]


async def test_a_refusal_ends_the_reading(read: Any, over: Any) -> None:
    context, _ = over(lambda _: httpx.Response(404, json={"error": {"message": "gone"}}), **BASE)
    with pytest.raises(CallFailed, match="gone"):
        await read("http", context, client="c", request={"path": "/things"})


async def test_where_the_documents_stand(read: Any, over: Any) -> None:
    context, _ = over(lambda _: httpx.Response(200, json={"a": {"b": [1, 2]}, "one": {"x": 1}}), **BASE)
    assert (await read("http", context, client="c", request={"path": "/x"}, items="a.b"))[0] == [1, 2]
    assert (await read("http", context, client="c", request={"path": "/x"}, items="one"))[0] == [{"x": 1}]
    assert (await read("http", context, client="c", request={"path": "/x"}, items="none"))[0] == []
    assert (await read("http", context, client="c", request={"path": "/x"}))[0] == [
        {"a": {"b": [1, 2]}, "one": {"x": 1}}
    ]
