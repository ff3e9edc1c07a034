"""The protocol on a pipe: both eras, progress, logging, resources and prompts, and what is no message."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.hosts.mcp.rig import pipe

MODERN = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}


@pytest.mark.parametrize(
    ("asked", "agreed"), [("2025-03-26", "2025-03-26"), ("2025-11-25", "2025-11-25"), ("1999-01-01", "2025-11-25")]
)
async def test_a_session_agrees_on_a_version(tmp_path: Path, asked: str, agreed: str) -> None:
    async with pipe(tmp_path) as peer:
        found = await peer.result("initialize", protocolVersion=asked, capabilities={}, clientInfo={})
        assert found["protocolVersion"] == agreed
        assert found["capabilities"].keys() == {"tools", "resources", "prompts", "completions", "logging"}
        peer.say({"jsonrpc": "2.0", "method": "notifications/initialized"})
        assert await peer.result("ping") == {}


async def test_requests_of_the_newer_era_stand_by_themselves(tmp_path: Path) -> None:
    async with pipe(tmp_path) as peer:
        found = await peer.result("server/discover", meta=MODERN)
        assert found["supportedVersions"] == ["2026-07-28"]
        assert found["resultType"] == "complete"
        listed = await peer.result("tools/list", meta=MODERN)
        assert listed["cacheScope"] == "private"
        assert listed["ttlMs"] >= 0
        called = await peer.result("tools/call", meta=MODERN, name="greet", arguments={"name": "Ada"})
        assert called["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "openai-connector"
        old = await peer.error("tools/list", meta={**MODERN, "io.modelcontextprotocol/protocolVersion": "1999-01-01"})
        assert (old["code"], old["data"]["supported"]) == (-32022, ["2026-07-28"])
        assert (await peer.error("initialize", meta=MODERN))["code"] == -32601


@pytest.mark.parametrize(("line", "code"), [
    (b"not json\n", -32700), (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "id": 2}\n', -32700), (b"[]\n", -32600),
    (b'{"id": 1, "method": "ping"}\n', -32600), (b'{"jsonrpc": "2.0", "id": true, "method": "ping"}\n', -32600),
    (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": []}\n', -32600),
    (b'{"jsonrpc": "2.0", "id": 1}\n', -32600),
    (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"x": NaN}}\n', -32700),
])  # fmt: skip
async def test_what_is_no_message_is_an_error_and_the_next_one_is_answered(
    tmp_path: Path, line: bytes, code: int
) -> None:
    async with pipe(tmp_path) as peer:
        peer.say(line)
        assert peer.heard[0]["error"]["code"] == code
        assert await peer.result("ping") == {}


async def test_wrong_parameters_are_errors_with_what_is_expected(tmp_path: Path) -> None:
    async with pipe(tmp_path) as peer:
        for method, given in (
            ("tools/call", {"name": "greet", "arguments": [1]}),
            ("tools/list", {"cursor": "x"}),
            ("prompts/get", {"name": "x"}),
            ("prompts/get", {"name": "chat-prompt", "arguments": {"prompt": 1}}),
            ("logging/setLevel", {"level": "loud"}),
            ("resources/read", {}),
        ):
            assert (await peer.error(method, **given))["code"] == -32602, method
        assert (await peer.error("tasks/list"))["code"] == -32601
        key = {"openai-connector/key": "x" * 256}
        assert "at most 255" in (await peer.error("tools/call", meta=key, name="greet", arguments={}))["message"]


def stream(request: httpx.Request) -> httpx.Response:
    chunk: dict[str, Any] = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gpt-6-luna"}
    deltas = [{"role": "assistant", "content": ""}, {"content": "one"}, {"content": " two"}]
    events = [{**chunk, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    events.append({**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    body = "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"
    return httpx.Response(200, text=body, headers={"content-type": "text/event-stream"})


ASK = {"payload": {"model": "gpt-6-luna", "messages": [{"role": "user", "content": "hi"}], "stream": True}}


async def test_a_streamed_answer_is_progress_and_then_one_answer(tmp_path: Path) -> None:
    async with pipe(tmp_path, stream) as peer:
        result = await peer.call("chat_completions_create", ASK, token="t")
        assert result["structuredContent"]["choices"][0]["message"] == {"role": "assistant", "content": "one two"}
        progress = peer.notes("notifications/progress")
        assert [one["progressToken"] for one in progress] == ["t"] * len(progress)
        assert [one["progress"] for one in progress] == sorted({one["progress"] for one in progress})
        messages = [one["message"] for one in progress]
        assert messages[0] == "chat_completions_create: begun"
        assert "one" in messages
        assert " two" in messages
        assert messages[-1] == "done"


async def test_nobody_is_told_of_progress_who_did_not_ask(tmp_path: Path) -> None:
    async with pipe(tmp_path, stream) as peer:
        await peer.call("chat_completions_create", ASK)
        assert peer.notes("notifications/progress") == []


async def test_the_log_is_as_loud_as_the_client_wants(tmp_path: Path) -> None:
    async with pipe(tmp_path) as peer:
        await peer.call("greet", {"name": "Ada"})
        assert peer.notes("notifications/message") == []
        await peer.call("greet", {})
        assert [one["level"] for one in peer.notes("notifications/message")] == ["warning"]
        await peer.result("logging/setLevel", level="debug")
        await peer.call("greet", {"name": "Ada"})
        assert [one["level"] for one in peer.notes("notifications/message")] == ["warning", "info", "debug", "info"]
        await peer.result("logging/setLevel", level="error")
        await peer.call("greet", {})
        assert len(peer.notes("notifications/message")) == 4


async def test_catalogue_routes_and_tasks_are_resources(tmp_path: Path) -> None:
    def route(document: Any) -> None:
        document["incoming"] = {"in": {"subscriber": {"prototype": "file", "parameters": {"url": "in.jsonl"}}}}
        document["routes"] = {"greetings": {"incoming": "in", "outgoing": "greet", "description": "All."}}

    async with pipe(tmp_path, change=route) as peer:
        uris = [one["uri"] for one in (await peer.result("resources/list"))["resources"]]
        assert uris == [f"openai-connector://{path}" for path in ("catalogue", "routes", "tasks", "routes/greetings")]
        await peer.call("greet", {"name": "Ada"})
        read = {uri: json.loads((await peer.result("resources/read", uri=uri))["contents"][0]["text"]) for uri in uris}
        assert {"name": "files list", "method": "GET", "path": "/files", "effect": "none"} in read[uris[0]]
        assert read[uris[1]]["greetings"]["outgoing"] == "greet"
        assert [task["state"] for task in read[uris[2]]["calls"]] == ["finished"]
        assert read[uris[3]]["description"] == "All."
        task = await peer.result("resources/read", uri="openai-connector://tasks/1")
        assert json.loads(task["contents"][0]["text"])["calls"][0]["document"] == {"name": "Ada"}
        operation = await peer.result("resources/read", uri="openai-connector://operations/files%20list")
        assert json.loads(operation["contents"][0]["text"])["path"] == "/files"
        nowhere = ("nothing", "tasks/99", "tasks/x", "routes/none", "operations/none", "results/x")
        for uri in ("file:///etc/passwd", *(f"openai-connector://{path}" for path in nowhere)):
            assert (await peer.error("resources/read", uri=uri))["code"] == -32002, uri


async def test_lists_have_pages(tmp_path: Path) -> None:
    def many(document: Any) -> None:
        document["mcp"]["operations"] = ["* list", "* retrieve"]

    async with pipe(tmp_path, change=many) as peer:
        names: list[str] = []
        cursor: dict[str, Any] = {}
        pages = 0
        while True:
            page = await peer.result("tools/list", **cursor)
            names += [tool["name"] for tool in page["tools"]]
            pages += 1
            if "nextCursor" not in page:
                break
            cursor = {"cursor": page["nextCursor"]}
        assert pages == -(-len(names) // 100) >= 2
        assert len(set(names)) == len(names)


async def test_chains_are_prompts(tmp_path: Path) -> None:
    def own(document: Any) -> None:
        steps = [
            {"chat-prompt": {"system": "You greet.", "prompt": "Greet @{parameters.name}.", "model": "gpt-6-luna"}}
        ]
        document["chains"] = {
            "hello": {
                "summary": "Greets.",
                "parameters": {"name": {"type": "string", "default": "&{name}"}},
                "steps": steps,
            }
        }
        document["mcp"]["prompts"] = ["hello", "vision-message"]

    async with pipe(tmp_path, change=own) as peer:
        hello, _ = (await peer.result("prompts/list"))["prompts"]
        assert hello == {
            "name": "hello",
            "description": "Greets.",
            "arguments": [{"name": "name", "description": "", "required": True}],
        }
        made = await peer.result("prompts/get", name="hello", arguments={"name": "Ada"})
        assert [(one["role"], one["content"]["text"]) for one in made["messages"]] == [
            ("user", "You greet."),
            ("user", "Greet Ada."),
        ]
        image = "data:image/png;base64,iVBORw0KGgo="
        seen = await peer.result("prompts/get", name="vision-message", arguments={"prompt": "What?", "images": image})
        assert {"type": "image", "data": "iVBORw0KGgo=", "mimeType": "image/png"} in [
            one["content"] for one in seen["messages"]
        ]
        missing = await peer.error("prompts/get", name="hello", arguments={})
        assert "nothing at &{name}" in missing["message"]
        assert peer.upstream.requests == []


async def test_names_are_completed(tmp_path: Path) -> None:
    async with pipe(tmp_path) as peer:
        ref = {"type": "ref/resource", "uri": "openai-connector://operations/{name}"}
        found = await peer.result("completion/complete", ref=ref, argument={"name": "name", "value": "files l"})
        assert found["completion"]["values"] == ["files list"]


async def test_what_is_under_way_is_ended_when_the_client_has_gone(tmp_path: Path) -> None:
    reached = asyncio.Event()

    async def hang(_: httpx.Request) -> httpx.Response:
        reached.set()
        await asyncio.Event().wait()
        raise AssertionError

    async with pipe(tmp_path, hang) as peer:
        peer.begin("tools/call", name="models_list", arguments={})
        await reached.wait()
        await peer.server.finish(0.0)
        assert peer.server._under_way == {}


async def test_an_id_that_is_under_way_is_not_taken_twice(tmp_path: Path) -> None:
    reached = asyncio.Event()

    async def hang(_: httpx.Request) -> httpx.Response:
        reached.set()
        await asyncio.Event().wait()
        raise AssertionError

    async with pipe(tmp_path, hang) as peer:
        number = peer.begin("tools/call", name="models_list", arguments={})
        await reached.wait()
        assert (await peer.error("ping", id=number))["code"] == -32600
