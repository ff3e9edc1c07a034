"""Tools: which there are, how they are described, and what comes of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

from connector.catalogue import Catalogue
from connector.config import parse
from connector.errors import ConfigurationError
from connector.hosts.mcp.tools import make_tools
from connector.hosts.schemas import request_schema
from connector.pipeline import kinds
from tests.hosts.mcp.rig import CONFIGURATION, chat, pipe

USER = {"role": "user", "content": "hi"}


def tools_of(**mcp: Any) -> dict[str, Any]:
    configuration = parse({**CONFIGURATION, "mcp": mcp}, environ={}, kinds=kinds())
    return {name: tool.as_document() for name, tool in make_tools(configuration, Catalogue.open(None)).items()}


def test_connections_and_allowed_operations_are_tools() -> None:
    assert list(tools_of(operations=["files list", "files delete"])) == [
        "greet",
        "files_list",
        "files_delete",
        "explain",
    ]
    assert list(tools_of(operations=["models *"], outgoing=[])) == [
        "models_delete",
        "models_list",
        "models_retrieve",
        "explain",
    ]
    assert list(tools_of(operations=["models *"], read_only=True)) == ["models_list", "models_retrieve", "explain"]
    assert tools_of(outgoing=[]) == {}


def test_effects_are_hints() -> None:
    tools = tools_of(operations=["files *", "chat completions create"])
    hints = {name: tool["annotations"] for name, tool in tools.items()}
    assert hints["files_list"] == {"readOnlyHint": True, "openWorldHint": True}
    assert hints["files_delete"] == {
        "readOnlyHint": False, "openWorldHint": True, "destructiveHint": True, "idempotentHint": True,
    }  # fmt: skip
    assert hints["chat_completions_create"]["idempotentHint"] is False
    assert hints["chat_completions_create"]["destructiveHint"] is False
    assert hints["greet"]["readOnlyHint"] is False
    assert hints["explain"] == {"readOnlyHint": True, "openWorldHint": False}


def test_what_a_document_must_have_is_in_the_schema() -> None:
    schema = tools_of()["greet"]["inputSchema"]
    assert schema["required"] == ["name"]
    assert {"name", "system", "history", "temperature"} <= schema["properties"].keys()


def test_a_schema_step_says_what_a_document_is() -> None:
    declared = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}
    greet = CONFIGURATION["outgoing"]["greet"]
    outgoing = {**greet, "chain": [{"schema": {"schema": declared}}, *greet["chain"]]}
    configuration = parse({**CONFIGURATION, "outgoing": {"greet": outgoing}}, environ={}, kinds=kinds())
    assert make_tools(configuration, Catalogue.open(None))["greet"].schema == declared


def test_a_hundred_tools_take_less_than_200_kilobytes() -> None:
    catalogue = Catalogue.open(None)
    writing = [one.name for one in catalogue.operations() if one.payload and not one.removed][:100]
    tools = tools_of(operations=writing, outgoing=[])
    assert len(tools) == 101
    assert len(json.dumps(list(tools.values()))) < 200_000


@pytest.mark.parametrize("most", [400, 12_000])
def test_shortened_schemas_are_schemas_without_references_and_take_the_examples(most: int) -> None:
    from connector.catalogue.examples import example_request

    catalogue = Catalogue.open(None)
    for operation in catalogue.operations():
        schema = request_schema(operation, catalogue, most)
        jsonschema.Draft202012Validator.check_schema(schema)
        text = json.dumps(schema)
        assert "$ref" not in text, operation.name
        assert '"array"}' not in text, f"{operation.name}: a list that does not say what is in it"
        example = {name: part for name, part in example_request(operation, catalogue).items() if name != "headers"}
        jsonschema.Draft202012Validator(schema).validate(example)


def test_two_tools_of_one_name_are_refused() -> None:
    document = {
        **CONFIGURATION,
        "outgoing": {"files list": CONFIGURATION["outgoing"]["greet"]},
        "mcp": {"operations": ["files list"]},
    }
    configuration = parse(document, environ={}, kinds=kinds())
    with pytest.raises(ConfigurationError, match="would both be the tool 'files_list'"):
        make_tools(configuration, Catalogue.open(None))


async def test_a_connection_is_called_with_its_chain_and_answers_with_its_answer(tmp_path: Path) -> None:
    async with pipe(tmp_path) as peer:
        result = await peer.call("greet", {"name": "Ada"})
        assert result["isError"] is False
        assert result["structuredContent"]["text"] == "re: Greet Ada."
        assert json.loads(result["content"][0]["text"]) == result["structuredContent"]


async def test_operations_are_called_by_their_names(tmp_path: Path) -> None:
    async with pipe(tmp_path) as peer:
        listed = await peer.call("models_list")
        assert listed["structuredContent"]["data"] == [{"id": "gpt-6-luna"}]
        made = await peer.call("chat_completions_create", {"payload": {"model": "gpt-6-luna", "messages": [USER]}})
        assert made["structuredContent"]["choices"][0]["message"]["content"] == "re: hi"


async def test_a_wrong_request_is_a_result_that_says_what_is_wrong_and_nothing_is_sent(tmp_path: Path) -> None:
    async with pipe(tmp_path) as peer:
        wrong = {"payload": {"model": "gpt-6-luna", "messages": [{"role": "usr", "content": "hi"}]}}
        result = await peer.call("chat_completions_create", wrong)
        assert result["isError"] is True
        assert "did you mean 'user'" in result["content"][0]["text"]
        missing = await peer.call("greet", {})
        assert missing["isError"] is True
        assert "nothing at &{name}" in missing["content"][0]["text"]
        assert peer.upstream.requests == []


async def test_what_the_api_refuses_is_a_failed_result(tmp_path: Path) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        return httpx.Response(
            400, json={"error": {"message": "no such model sk-canary-0123456789abcdef", "code": "model_not_found"}}
        )

    async with pipe(tmp_path, refuse) as peer:
        for name, arguments in (("greet", {"name": "Ada"}), ("models_list", {})):
            result = await peer.call(name, arguments)
            assert result["isError"] is True
            assert "no such model" in result["content"][0]["text"]
            assert "canary" not in json.dumps(result)


async def test_explain_shows_the_request_and_sends_nothing(tmp_path: Path) -> None:
    async with pipe(tmp_path) as peer:
        for arguments in ({"tool": "greet", "arguments": {"name": "Ada"}},
                          {"tool": "models_list", "arguments": {}}):  # fmt: skip
            result = await peer.call("explain", arguments)
            assert result["isError"] is False, result
            assert result["structuredContent"]["url"].startswith("https://api.openai.com/v1/")
            assert "canary" not in json.dumps(result)
        assert peer.upstream.requests == []
        again = await peer.error("tools/call", name="explain", arguments={"tool": "explain", "arguments": {}})
        assert again["code"] == -32602


async def test_unknown_tools_are_an_error_with_a_suggestion(tmp_path: Path) -> None:
    async with pipe(tmp_path) as peer:
        error = await peer.error("tools/call", name="gret", arguments={})
        assert error["code"] == -32602
        assert "did you mean 'greet'" in error["message"]


async def test_a_large_result_is_cut_in_the_open_and_all_of_it_can_be_read(tmp_path: Path) -> None:
    def large(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"object": "list", "data": [{"id": f"ö-{n}"} for n in range(60_000)]})

    async with pipe(tmp_path, large) as peer:
        result = await peer.call("models_list")
        shown, note, link = result["content"]
        assert len(shown["text"].encode()) <= 65_536
        assert "cut here: 65,53" in note["text"]
        assert link["type"] == "resource_link"
        assert result["structuredContent"]["truncated"] is True
        whole = await peer.result("resources/read", uri=link["uri"])
        text = whole["contents"][0]["text"]
        assert len(text.encode()) == link["size"] == result["structuredContent"]["bytes"]
        assert len(json.loads(text)["data"]) == 60_000
        parts = [await peer.result("resources/read", uri=f"{link['uri']}/{n}") for n in range(1, 6)]
        assert len(b"".join(_bytes(part) for part in parts)) == link["size"]
        assert (await peer.error("resources/read", uri=f"{link['uri']}/6"))["code"] == -32002


def _bytes(read: Any) -> bytes:
    from base64 import b64decode

    content = read["contents"][0]
    return content["text"].encode() if "text" in content else b64decode(content["blob"])


async def test_images_and_sound_are_contents_of_their_own(tmp_path: Path) -> None:
    png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABh6FO1AAAAABJRU5ErkJggg=="

    def media(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/speech"):
            return httpx.Response(200, content=b"ID3 sound", headers={"content-type": "audio/mpeg"})
        return httpx.Response(200, json={"created": 1, "data": [{"b64_json": png}]})

    def offered(document: Any) -> None:
        document["mcp"]["operations"] = ["POST /images/generations", "audio speech create"]

    async with pipe(tmp_path, media, change=offered) as peer:
        names = [tool["name"] for tool in (await peer.result("tools/list"))["tools"]]
        image = await peer.call(names[1], {"payload": {"model": "gpt-image-2", "prompt": "a dot"}})
        assert image["content"][1] == {"type": "image", "data": png, "mimeType": "image/png"}
        assert png not in image["content"][0]["text"]
        sound = await peer.call(names[2], {"payload": {"model": "gpt-4o-mini-tts", "input": "a", "voice": "alloy"}})
        assert sound["content"][0]["type"] == "audio"
        assert sound["content"][0]["mimeType"] == "audio/mpeg"


async def test_an_unexpected_fault_of_ours_is_an_error_that_shows_nothing(tmp_path: Path) -> None:
    async with pipe(tmp_path, chat) as peer:
        peer.server.server.invoker.tools = None  # type: ignore[assignment]
        error = await peer.error("tools/call", name="greet", arguments={})
        assert error == {"code": -32603, "message": "the server failed (AttributeError); its log says more"}
