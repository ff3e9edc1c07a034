"""Entities, their pages, and the children of parents."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from connector.errors import ConfigurationError
from connector.model import CallFailed


def stores(request: httpx.Request) -> httpx.Response:
    """Three vector stores on two pages, each with two files."""
    path, query = request.url.path, request.url.params
    if path == "/v1/vector_stores":
        if query.get("after") == "vs2":
            return httpx.Response(200, json={"data": [{"id": "vs3"}], "has_more": False})
        return httpx.Response(200, json={"data": [{"id": "vs1"}, {"id": "vs2"}], "has_more": True, "last_id": "vs2"})
    store = path.split("/")[3]
    if store == "vs2" and "broken" in query.get("filter", ""):
        return httpx.Response(404, json={"error": {"message": "no such store"}})
    return httpx.Response(200, json={"data": [{"id": f"{store}-a"}, {"id": f"{store}-b"}], "has_more": False})


async def test_all_pages_and_the_limit(read: Any, over: Any) -> None:
    context, _ = over(stores)
    documents, _ = await read("openai", context, client="c", entity="vector stores", action="list")
    assert [document["id"] for document in documents] == ["vs1", "vs2", "vs3"]
    assert (await read("openai", context, client="c", entity="vector stores", action="list", limit=2))[0] == documents[
        :2
    ]
    assert (await read("openai", context, client="c", entity="vector stores", action="list", limit=0))[0] == []


async def test_the_files_of_every_vector_store_in_order(read: Any, over: Any) -> None:
    context, lost = over(stores)
    documents, _ = await read(
        "openai",
        context,
        client="c",
        entity="vector store files",
        action="list",
        parent={"entity": "vector stores", "action": "list"},
    )
    assert [document["id"] for document in documents] == ["vs1-a", "vs1-b", "vs2-a", "vs2-b", "vs3-a", "vs3-b"]
    assert lost == []


async def test_a_parent_whose_children_cannot_be_read_is_lost_alone(read: Any, over: Any) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if "/vs2/" in request.url.path:
            return httpx.Response(404, json={"error": {"message": "no such store"}})
        return stores(request)

    context, lost = over(handler)
    documents, _ = await read(
        "openai",
        context,
        client="c",
        entity="vector store files",
        action="list",
        parent={"entity": "vector stores", "action": "list"},
    )
    assert [document["id"] for document in documents] == ["vs1-a", "vs1-b", "vs3-a", "vs3-b"]
    assert [one.document["id"] for one in lost] == ["vs2"]
    assert "no such store" in lost[0].reason


async def test_children_are_read_many_at_a_time_up_to_the_bound(read: Any, over: Any) -> None:
    under_way = most = 0

    async def handler(request: httpx.Request) -> httpx.Response:
        nonlocal under_way, most
        if request.url.path == "/v1/vector_stores":
            return httpx.Response(200, json={"data": [{"id": f"vs{n}"} for n in range(12)], "has_more": False})
        under_way += 1
        most = max(most, under_way)
        for _ in range(20):
            await asyncio.sleep(0)
        under_way -= 1
        return httpx.Response(200, json={"data": [{"id": request.url.path.split("/")[3]}], "has_more": False})

    context, _ = over(handler)
    documents, _ = await read(
        "openai", context, client="c", entity="vector store files", action="list", concurrency=3,
        parent={"entity": "vector stores", "action": "list"},
    )  # fmt: skip
    assert [document["id"] for document in documents] == [f"vs{n}" for n in range(12)]
    assert most == 3


async def test_grandchildren_take_the_ids_of_all_their_parents(read: Any, over: Any) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == "/v1/evals":
            return httpx.Response(200, json={"data": [{"id": "e1"}, {"id": "e2"}], "has_more": False})
        if path.endswith("/runs"):
            return httpx.Response(200, json={"data": [{"id": "r1"}], "has_more": False})
        return httpx.Response(200, json={"data": [{"id": path}], "has_more": False})

    context, _ = over(handler)
    documents, _ = await read(
        "openai", context, client="c", entity="eval run output items", action="list",
        parent={"entity": "eval runs", "action": "list", "parent": {"entity": "evals", "action": "list"}},
    )  # fmt: skip
    assert [document["id"] for document in documents] == [
        "/v1/evals/e1/runs/r1/output_items",
        "/v1/evals/e2/runs/r1/output_items",
    ]


async def test_too_few_parents_are_told_before_anything_is_read(read: Any, over: Any) -> None:
    context, _ = over(stores)
    with pytest.raises(ConfigurationError, match=r"there is 1 parent; give run_id in request\.path"):
        await read(
            "openai",
            context,
            client="c",
            entity="eval run output items",
            action="list",
            parent={"entity": "evals", "action": "list"},
        )


async def test_a_page_that_cannot_be_read_ends_the_reading(read: Any, over: Any) -> None:
    context, _ = over(lambda _: httpx.Response(500, json={"error": {"message": "down"}}))
    with pytest.raises(CallFailed, match="down"):
        await read("openai", context, client="c", entity="models", action="list")


async def test_a_writing_operation_is_refused(read: Any, over: Any) -> None:
    context, _ = over(stores)
    with pytest.raises(ConfigurationError, match="a subscriber reads with GET"):
        await read("openai", context, client="c", entity="vector stores", action="create")


async def test_bytes_become_content(read: Any, over: Any) -> None:
    context, _ = over(
        lambda _: httpx.Response(200, content=b"\x00\x01", headers={"content-type": "application/octet-stream"})
    )
    documents, _ = await read(
        "openai", context, client="c", entity="file content", action="retrieve", request={"path": {"file_id": "f"}}
    )
    assert documents == [{"$content": "AAE="}]
