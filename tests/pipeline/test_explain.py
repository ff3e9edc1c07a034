"""Every value of a request tells where it comes from, and nothing is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from connector.pipeline import explain_incoming, explain_outgoing
from connector.transform import Failed

CALL = {"prototype": "openai", "parameters": {"client": "openai", "entity": "chat completions"}}


def nobody(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"{request.url} was asked")


async def test_origins_of_a_template_and_of_what_it_names(runtime: Any) -> None:
    outgoing = {
        "chain": [{"value-setter": {"configurations": [{"key": "prompt", "value": "Say &{text}"}]}}],
        "request": {
            "payload": {
                "model": "@{variables.model}",
                "messages": [{"role": "user", "content": "&{prompt}"}],
                "user": "&{id}",
            }
        },
        "publisher": CALL,
    }
    async with runtime(nobody, outgoing={"out": outgoing}, variables={"model": "gpt-5-mini"}) as at_work:
        shown = await explain_outgoing(at_work, "out", {"id": "u-17", "text": "hi"})
    assert shown["body"]["messages"][0]["content"] == "Say hi"
    origins = shown["origins"]
    assert origins["payload.model"] == "variable: @{variables.model}"
    assert origins["payload.messages[0].role"] == "request template"
    said = origins["payload.messages[0].content"]
    assert said.startswith("request template: &{prompt}, prompt from outgoing.out.chain[0] value-setter")
    assert origins["payload.user"] == "request template: &{id}, id from document: id"
    assert "payload.messages" not in origins


async def test_origins_of_what_a_chain_made(runtime: Any) -> None:
    chain = [{"value-setter": {"configurations": [
        {"key": "payload.model", "value": "gpt-5-mini"},
        {"key": "payload.messages", "value": [{"role": "user", "content": "&{text}"}]},
    ]}}, {"value-remover": {"patterns": ["text"]}}]  # fmt: skip
    async with runtime(nobody, outgoing={"out": {"chain": chain, "publisher": CALL}}) as at_work:
        shown = await explain_outgoing(at_work, "out", {"text": "hello there", "payload": {"user": "u"}})
    origins = shown["origins"]
    assert origins["payload.user"] == "document: payload.user"
    assert "value-setter" in origins["payload.model"]
    assert "from document" not in origins["payload.model"]
    assert origins["payload.messages[0].content"].endswith("value-setter, from document: text")


async def test_a_skipped_document_says_why_and_a_failed_one_raises(runtime: Any) -> None:
    chain = [
        {"data": {"filters": [{"value-condition": {"accessor": "x", "conditions": [{"equals": 1}]}}]}},
        {"value-setter": {"configurations": [{"key": "y", "value": "&{z}"}]}},
    ]
    async with runtime(nobody, outgoing={"out": {"chain": chain, "publisher": CALL}}) as at_work:
        assert "filters[0]" in (await explain_outgoing(at_work, "out", {"x": 2}))["skipped"]
        with pytest.raises(Failed, match=r"nothing at &\{z\}"):
            await explain_outgoing(at_work, "out", {"x": 1})


async def test_a_chain_that_must_call_is_not_explained_by_calling(runtime: Any) -> None:
    chain = [{"openai": {"client": "openai", "entity": "models", "action": "list", "destination": "m"}}]
    async with runtime(nobody, outgoing={"out": {"chain": chain, "publisher": CALL}}) as at_work:
        with pytest.raises(Failed, match="nothing is sent here"):
            await explain_outgoing(at_work, "out", {})


async def test_the_first_request_of_an_incoming(runtime: Any) -> None:
    subscriber = {
        "prototype": "openai",
        "parameters": {
            "client": "openai",
            "entity": "files",
            "action": "list",
            "request": {"query": {"purpose": "@{variables.p}", "limit": 5}},
        },
    }
    incoming = {
        "plain": {"subscriber": subscriber},
        "changed": {
            "subscriber": subscriber,
            "input": [{"value-setter": {"configurations": [{"key": "query.order", "value": "asc"}]}}],
        },
    }
    async with runtime(nobody, incoming=incoming, variables={"p": "batch"}) as at_work:
        shown = await explain_incoming(at_work, "plain")
        assert shown["url"].endswith("/files?purpose=batch&limit=5")
        assert shown["origins"]["query.purpose"] == "variable: @{variables.p}"
        assert shown["origins"]["query.limit"] == "configuration"
        assert shown["headers"]["authorization"] != "Bearer sk-canary-0123456789"
        changed = await explain_incoming(at_work, "changed")
        assert changed["origins"]["query"] == "input chain"


async def test_explaining_remembers_nothing(runtime: Any, tmp_path: Path) -> None:
    chain = [{"storage-filter-stored-entity": {"storage": "seen", "storage_key": "&{id}"}}]
    outgoing = {"out": {"chain": chain, "publisher": {"prototype": "none"}}}
    async with runtime(nobody, outgoing=outgoing, storages={"seen": {}}) as at_work:
        first = await explain_outgoing(at_work, "out", {"id": "a"})
        assert await explain_outgoing(at_work, "out", {"id": "a"}) == first == {"document": {"id": "a"}}
    assert not (tmp_path / "storage").exists()
