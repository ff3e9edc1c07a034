"""Documents from an incoming connection: the request and its input chain, the chain, limits, what is lost."""

from __future__ import annotations

import json
from contextlib import aclosing
from pathlib import Path
from typing import Any

import httpx
import pytest

from connector.errors import ConfigurationError
from connector.pipeline import IncomingRun

LIST = {"prototype": "openai", "parameters": {"client": "openai", "entity": "files", "action": "list"}}


def with_request(**request: Any) -> Any:
    return {"prototype": "openai", "parameters": {**LIST["parameters"], "request": request}}


@pytest.fixture
def subscribe(runtime: Any) -> Any:
    """Reads an incoming connection; gives the documents, the run, what was told and the URLs that were asked for."""

    async def subscribe(incoming: Any, body: Any = None, *, sections: Any = None, **options: Any) -> Any:
        urls: list[str] = []
        told: list[Any] = []

        def handler(request: httpx.Request) -> httpx.Response:
            urls.append(str(request.url).removeprefix("https://api.openai.com/v1"))
            return httpx.Response(200, json=body or {"data": [{"id": "f1"}, {"id": "f2"}], "has_more": False})

        state = options.pop("state", {})
        async with runtime(handler, incoming={"in": incoming}, **(sections or {})) as at_work:
            run = IncomingRun(at_work, "in", tell=lambda *each: told.append(each), state=state)
            async with aclosing(run.documents(**options)) as documents:
                found = [document async for document in documents]
        return found, run, told, urls

    return subscribe


async def test_a_request_is_a_template(subscribe: Any) -> None:
    request = {"query": {"purpose": "@{variables.purpose}", "after": "?{cursor}", "limit": "&{cursor || `5`}"}}
    variables = {"variables": {"purpose": "batch"}}
    _, _, _, urls = await subscribe({"subscriber": with_request(**request)}, sections=variables)
    assert urls == ["/files?purpose=batch&limit=5"]
    request["query"]["limit"] = "7"
    _, _, _, urls = await subscribe({"subscriber": with_request(**request)}, sections=variables, state={"cursor": "f9"})
    assert urls == ["/files?purpose=batch&after=f9&limit=7"]


async def test_the_input_chain_can_change_the_request_make_several_or_none(subscribe: Any) -> None:
    setter = [{"value-setter": {"configurations": [{"key": "query.purpose", "value": "vision"}]}}]
    _, _, _, urls = await subscribe({"subscriber": LIST, "input": setter})
    assert urls == ["/files?purpose=vision"]
    nothing = [{"data": {"filters": [{"value-condition": {"accessor": "never", "conditions": [{"equals": 1}]}}]}}]
    found, run, told, urls = await subscribe({"subscriber": LIST, "input": nothing})
    assert (found, run.counts.read, told, urls) == ([], 0, [], [])
    several = [
        {"expression": {"expression": "{all: [{query: {purpose: 'a'}}, {query: {purpose: 'b'}}]}"}},
        {"brancher": {"pattern": "all.*"}},
    ]
    found, _, _, urls = await subscribe({"subscriber": LIST, "input": several})
    assert urls == ["/files?purpose=a", "/files?purpose=b"]
    assert len(found) == 4


async def test_a_chain_that_skips_and_fails(subscribe: Any, tmp_path: Path) -> None:
    lines = [{"n": 1, "keep": True}, {"n": 2, "keep": False}, {"keep": True}, {"n": 4, "keep": True}]
    (tmp_path / "in.jsonl").write_text("\n".join([*map(json.dumps, lines), "broken"]))
    incoming = {
        "subscriber": {"prototype": "file", "parameters": {"url": "in.jsonl"}},
        "chain": [
            {"data": {"filters": [{"value-condition": {"accessor": "keep", "conditions": [{"equals": True}]}}]}},
            {"value-setter": {"configurations": [{"key": "m", "value": "&{n}"}]}},
        ],
    }
    found, run, told, _ = await subscribe(incoming)
    assert [document["m"] for document in found] == [1, 4]
    counts = run.counts
    assert (counts.read, counts.done, counts.skipped, counts.failed, counts.given) == (5, 2, 1, 2, 2)
    assert {state: document for document, state, _ in told if "$text" not in document} == {
        "skipped": {"n": 2, "keep": False},
        "failed": {"keep": True},
    }
    assert ({"$text": "broken"}, "failed") in [(document, state) for document, state, _ in told]


async def test_limit_counts_what_is_read(subscribe: Any) -> None:
    found, run, _, _ = await subscribe({"subscriber": LIST}, limit=1)
    assert found == [{"id": "f1"}]
    assert run.counts.read == 1
    assert (await subscribe({"subscriber": LIST}, limit=0))[0] == []


async def test_documents_in_place_of_the_subscribers(subscribe: Any) -> None:
    async def again() -> Any:
        yield {"id": "x", "$error": {"state": "failed", "reason": "y"}}

    found, _, _, urls = await subscribe({"subscriber": LIST}, instead=again())
    assert found == [{"id": "x"}]
    assert urls == []


async def test_a_chain_that_calls_in_its_middle(subscribe: Any) -> None:
    chain = [
        {
            "openai": {
                "client": "openai",
                "entity": "files",
                "action": "retrieve",
                "path": {"file_id": "&{id}"},
                "destination": "more",
            }
        }
    ]
    found, _, _, urls = await subscribe({"subscriber": LIST, "chain": chain})
    assert urls == ["/files", "/files/f1", "/files/f2"]
    assert all("more" in document for document in found)


async def test_storages_remember_between_runs(subscribe: Any, tmp_path: Path) -> None:
    chain = [{"storage-filter-stored-entity": {"storage": "seen", "storage_key": "&{id}"}}]
    incoming, sections = {"subscriber": LIST, "chain": chain}, {"storages": {"seen": {}}}
    first = await subscribe(incoming, sections=sections)
    second = await subscribe(incoming, sections=sections)
    assert ([d["id"] for d in first[0]], second[0], second[1].counts.skipped) == (["f1", "f2"], [], 2)
    assert len(list((tmp_path / "storage" / "seen").rglob("*.json"))) == 2


async def test_gathered_documents_come_as_batches(subscribe: Any) -> None:
    body = {"data": [{"id": f"f{n}"} for n in range(5)], "has_more": False}
    found, run, _, _ = await subscribe({"subscriber": LIST, "chain": [{"aggregate": {"size": 2}}]}, body)
    assert [len(document["items"]) for document in found] == [2, 2, 1]
    assert (run.counts.read, run.counts.done, run.counts.given) == (5, 5, 3)


async def test_parameters_may_be_variables_but_are_not_looked_into_again(subscribe: Any) -> None:
    subscriber = {
        "prototype": "openai",
        "parameters": {
            "client": "openai",
            "entity": "@{variables.what}",
            "action": "list",
            "limit": "@{variables.most}",
        },
    }
    found, _, _, _ = await subscribe({"subscriber": subscriber}, sections={"variables": {"what": "files", "most": 1}})
    assert found == [{"id": "f1"}]
    with pytest.raises(ConfigurationError, match=r"incoming\.in\.subscriber.parameters"):
        await subscribe({"subscriber": subscriber}, sections={"variables": {"what": "files", "most": "many"}})
