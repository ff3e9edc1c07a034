"""The component for Prismatic: Spectral's own harness runs its actions, and the sandbox says what arrived."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from connector.cli.app import app
from connector.errors import ConfigurationError
from connector.sandbox import Sandbox, in_thread
from tests.hosts.prismatic.rig import DAY, Step, export, perform

KEY = "sk-prismatic-0123456789"
CHOSEN = ("chat completions create", "files create", "files retrieve", "moderations create", "audio speech create")
HI = '[{"role": "user", "content": "Hi"}]'


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prismatic") / "component"
    export(folder, *CHOSEN)
    return folder


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with in_thread(Sandbox(seed=1, pace=0.05)) as running:
        yield running


def invoke(package: Path, sandbox: Sandbox | None, *calls: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """What the harness returns of actions with their parameters, each with the defaults that its inputs have."""
    fields = {"apiKey": KEY, "organization": "org-9", "baseUrl": f"{sandbox.url}/" if sandbox else ""}
    return perform(package, *(Step(name, params, ("apiKey", fields)) for name, params in calls))


def sent(package: Path, sandbox: Sandbox, name: str, **params: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The one request that an action sends, and what the action gives."""
    before = len(sandbox.requests)
    [found] = invoke(package, sandbox, (name, params))["results"]
    assert "error" not in found, found
    [request] = sandbox.requests[before:]
    return request, found["result"]


def test_the_six_actions_have_the_inputs_and_defaults_of_prismatic(package: Path) -> None:
    found = invoke(package, None)
    actions = found["actions"]
    own = ["createChatCompletion", "createImage", "createResponse", "getModel", "listModels", "rawRequest"]
    assert {*own} < {*actions}
    assert [actions[name]["label"] for name in own] == [
        "Create Chat Completion", "Create Image", "Create Response", "Get Model by ID", "List Models", "Raw Request",
    ]  # fmt: skip
    chat = {one["key"]: one["first"] for one in actions["createChatCompletion"]["inputs"]}
    assert [*chat] == ["connection", "messages", "model", "numChoices", "temperature", "timeout", "topP"]
    assert (chat["numChoices"], chat["temperature"], chat["timeout"], chat["topP"]) == ("1", "1", "10000", "1")
    image = {one["key"]: one for one in actions["createImage"]["inputs"]}
    assert image["size"]["first"] == "1024x1024"
    assert [one["value"] for one in image["size"]["model"]] == ["256x256", "512x512", "1024x1024"]
    raw = {one["key"]: one["first"] for one in actions["rawRequest"]["inputs"]}
    assert {"url", "method", "data", "formData", "fileData", "queryParams", "headers", "timeout"} < {*raw}
    assert (raw["responseType"], raw["maxRetries"], raw["retryDelayMS"]) == ("json", "0", "0")
    connection, studio = found["connections"]
    assert (connection["key"], studio["key"]) == ("apiKey", "studio")
    assert [(one["key"], one["type"]) for one in connection["inputs"]] == [
        ("apiKey", "password"), ("organization", "string"), ("baseUrl", "string"),
    ]  # fmt: skip


def first_models(folder: Path) -> dict[str, str]:
    actions = json.loads((folder / "actions.json").read_text())["actions"]
    return {name: one["inputs"]["model"]["default"] for name, one in actions.items() if "model" in one["inputs"]}


@pytest.mark.parametrize(
    ("day", "chat", "response"),
    [
        ("2026-01-01", "gpt-3.5-turbo", "gpt-4.1"), (DAY, "gpt-5.6-terra", "gpt-4.1"),
        ("2027-02-01", "gpt-5.6-terra", "gpt-6-luna"),
    ],
)  # fmt: skip
def test_a_models_default_is_that_of_prismatic_while_it_lives(
    day: str, chat: str, response: str, tmp_path: Path
) -> None:
    export(tmp_path, day=day)
    assert first_models(tmp_path)["createChatCompletion"] == chat
    assert first_models(tmp_path)["createResponse"] == response
    described = json.loads((tmp_path / "actions.json").read_text())["actions"]
    offered = [one["value"] for one in described["createResponse"]["inputs"]["model"]["model"]]
    assert len({*offered}) == len(offered) > 5
    assert ("gpt-4.1" in offered) == (day < "2027-01-14")


def test_the_chat_is_sent_with_its_defaults(package: Path, sandbox: Sandbox) -> None:
    request, result = sent(package, sandbox, "createChatCompletion", messages=HI)
    assert request["path"] == "/v1/chat/completions"
    assert request["payload"] == {
        "messages": [{"role": "user", "content": "Hi"}], "model": "gpt-5.6-terra", "n": 1, "temperature": 1, "top_p": 1,
    }  # fmt: skip
    assert result["data"]["choices"][0]["message"]["role"] == "assistant"


def test_every_other_action_sends_what_it_says(package: Path, sandbox: Sandbox) -> None:
    image, _ = sent(package, sandbox, "createImage", prompt="A cat", n="2")
    assert image["payload"] == {"prompt": "A cat", "model": "gpt-image-2.5-flare", "n": 2, "size": "1024x1024"}
    answer, _ = sent(package, sandbox, "createResponse", input='{"no": "list"}')
    assert answer["payload"] == {"input": '{"no": "list"}', "model": "gpt-4.1"}
    items, _ = sent(package, sandbox, "createResponse", input=HI)
    assert items["payload"]["input"] == [{"role": "user", "content": "Hi"}]
    listed, models = sent(package, sandbox, "listModels")
    assert (listed["method"], listed["path"]) == ("GET", "/v1/models")
    one, model = sent(package, sandbox, "getModel", modelId=models["data"]["data"][0]["id"])
    assert one["path"] == f"/v1/models/{model['data']['id']}"


def test_a_raw_request_goes_below_the_base_url_alone(package: Path, sandbox: Sandbox) -> None:
    raw = {"method": "POST", "url": "/moderations", "data": '{"input": "Hi"}', "debugRequest": "true",
           "headers": [{"key": "Content-Type", "value": "application/json"}]}  # fmt: skip
    request, _ = sent(package, sandbox, "rawRequest", **raw)
    assert (request["method"], request["path"], request["payload"]) == ("POST", "/v1/moderations", {"input": "Hi"})
    before = len(sandbox.requests)
    found = invoke(package, sandbox, ("rawRequest", {**raw, "url": f"{sandbox.origin}/elsewhere"}), ("rawRequest", raw))
    assert "the key is not sent there" in found["results"][0]["error"]["message"]
    assert [one["path"] for one in sandbox.requests[before:]] == ["/v1/moderations"]
    assert any("/moderations" in line for line in found["logged"])
    assert KEY not in json.dumps(found)


def test_a_chosen_operation_is_an_action_with_the_fields_of_its_schema(package: Path, sandbox: Sandbox) -> None:
    inputs = {one["key"]: one for one in invoke(package, None)["actions"]["chatCompletionsCreate"]["inputs"]}
    assert (inputs["messages"]["type"], inputs["messages"]["required"]) == ("code", True)
    assert [one["value"] for one in inputs["store"]["model"]] == ["", "true", "false"]
    request, _ = sent(
        package, sandbox, "chatCompletionsCreate", messages=HI, model="gpt-6-luna", store="false",
        max_completion_tokens="9", metadata='{"a": "b"}', stop="5",
    )  # fmt: skip
    assert request["payload"] == {
        "messages": json.loads(HI), "model": "gpt-6-luna", "store": False, "max_completion_tokens": 9,
        "metadata": {"a": "b"}, "stop": "5",
    }  # fmt: skip


def test_a_file_is_sent_as_a_form_and_audio_comes_back_as_data(package: Path, sandbox: Sandbox) -> None:
    upload, result = sent(
        package, sandbox, "filesCreate", file="Hello", file_file_name="hello.txt", purpose="user_data",
        expires_after='{"anchor": "created_at", "seconds": 3600}',
    )  # fmt: skip
    assert (upload["method"], upload["path"]) == ("POST", "/v1/files")
    assert (result["data"]["filename"], result["data"]["bytes"], result["data"]["purpose"]) == (
        "hello.txt",
        5,
        "user_data",
    )
    assert result["data"]["expires_at"] == result["data"]["created_at"] + 3600
    one, _ = sent(package, sandbox, "filesRetrieve", file_id=result["data"]["id"])
    assert one["path"] == f"/v1/files/{result['data']['id']}"
    _, spoken = sent(package, sandbox, "audioSpeechCreate", input="Hi", model="gpt-4o-mini-tts", voice="alloy")
    assert spoken["data"]["type"] == "Buffer"
    assert spoken["contentType"].startswith("audio/")


def test_what_is_wrong_is_said_before_it_is_sent_or_as_the_api_says_it(package: Path, sandbox: Sandbox) -> None:
    before = len(sandbox.requests)
    number, missing, refused = invoke(
        package, sandbox, ("createChatCompletion", {"messages": HI, "numChoices": "two"}), ("getModel", {}),
        ("getModel", {"modelId": "../gpt"}),
    )["results"]  # fmt: skip
    assert number["error"]["message"] == 'numChoices: "two" was given; allowed: integer'
    assert missing["error"]["message"].startswith("model: nothing was given")
    assert refused["error"]["status"] == 404
    assert [one["path"] for one in sandbox.requests[before:]] != ["/v1/gpt"]
    assert len(sandbox.requests) == before + 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"n"\n', '"numChoices"\n'),
        ('"default": "gpt-5.6-terra"', '"default": "gpt-3.5-turbo-0301"'),
        ('"path": "/chat/completions"', '"path": "/completions"'),
        ('"integer"', '"string"'),
    ],
    ids=["field", "model", "path", "type"],
)
def test_a_planted_mistake_is_caught(old: str, new: str, package: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    for name in ("index.js", "package.json"):
        (tmp_path / name).write_text((package / name).read_text())
    described = (package / "actions.json").read_text()
    assert old in described
    (tmp_path / "actions.json").write_text(described.replace(old, new))
    with pytest.raises(AssertionError):
        test_the_chat_is_sent_with_its_defaults(tmp_path, sandbox)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--operation", "chat completion creat"], "did you mean"),
        (["--operation", "agent session events list"], "answered once, and whole"),
        (["--server", "api.example"], "an address that begins with https:// or http://"),
    ],
)
def test_wrong_input_is_told(words: list[str], said: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["export", "prismatic", "--into", str(tmp_path / "a"), *words])
    assert isinstance(done.exception, ConfigurationError)
    assert said in str(done.exception)
    assert not (tmp_path / "a").exists()


def test_every_operation_that_a_step_can_call_is_taken_and_another_package_is_left(tmp_path: Path) -> None:
    said = export(tmp_path / "all", "*")
    actions = json.loads((tmp_path / "all" / "actions.json").read_text())["actions"]
    assert len(actions) > 240
    assert said.endswith("rawRequest, publishDocument\n")
    assert "agentSessionEventsList" not in actions
    assert {*invoke(tmp_path / "all", None)["actions"]} == {*actions, "publishDocument", "rawRequest"}
    export(tmp_path / "all")
    (tmp_path / "package.json").write_text('{"name": "mine"}')
    with pytest.raises(ConfigurationError, match="is of another package; name another folder with --into"):
        export(tmp_path)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["package.json"]
