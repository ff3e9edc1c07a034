"""Forms of other platforms, with the defaults that they have there: our entries are free of faults, and they make the
request that the platform would send."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from connector.catalogue import Catalogue
from connector.catalogue.description import describe
from connector.config import Severity, parse
from connector.config.lint import lint
from connector.errors import ConfigurationError, UnknownName
from connector.migrate.forms import FORMS, Filled, fill, find_form
from connector.migrate.forms.dronahq import ACTIONS, PARTS
from connector.model import JSON, members
from connector.pipeline import Runtime, explain_outgoing, kinds
from connector.yaml.writer import format_yaml

CATALOGUE = Catalogue.open(None)
CHAT = [{"role": "user", "content": "Hi"}]
SYSTEM = {"role": "system", "content": "Be short."}
NEEDED: Mapping[str, JSON] = {
    "model": "gpt-6-luna", "prompt": "Hi", "input": "Hi", "modelId": "gpt-6-luna",
}  # fmt: skip
"""What a person writes into the fields that have no default."""
IDS = {
    "dronahq-DeleteFile": "file_id", "dronahq-RetrieveFile": "file_id", "dronahq-RetrieveFileContent": "file_id",
    "dronahq-RetrieveFineTune": "fine_tune_id", "dronahq-CancelFineTune": "fine_tune_id",
    "dronahq-ListFineTuneEvents": "fine_tune_id", "dronahq-DeleteFineTunedModel": "model",
    "dronahq-RetrieveEngine": "engine_id",
}  # fmt: skip


def filled(name: str, **values: JSON) -> Filled:
    """Fill a form in with its defaults, and with what has none."""
    form = find_form(name)
    schema = form.schema(CATALOGUE)
    given = {
        field: NEEDED[field]
        for field in schema.get("required", ())
        if "default" not in schema["properties"][field] and field in NEEDED
    }
    if name in IDS:
        given["path"] = {IDS[name]: "id-1"}
    if name == "dronahq-CreateChatCompletion":
        given["payload"] = {"model": "gpt-6-luna", "messages": CHAT}
    return fill(form, {**given, **values}, name="made", client="ai", known=False, catalogue=CATALOGUE)


def document(made: Filled) -> dict[str, Any]:
    """Return the configuration that a filled form makes."""
    whole: dict[str, Any] = {}
    for path, value in made.values.items():
        place = whole
        for step in path[:-1]:
            place = place.setdefault(step, {})
        place[path[-1]] = value
    return whole


def faults(whole: dict[str, Any], folder: Path) -> list[str]:
    """Return the errors of a configuration."""
    file = folder / "connector.yaml"
    file.write_text("\n".join([*format_yaml(whole), ""]), "utf-8")
    found = lint(file, kinds=kinds(), environ={"OPENAI_API_KEY": "sk-x"})
    return [one.words for one in found if one.severity is Severity.ERROR]


async def request_of(whole: dict[str, Any]) -> dict[str, Any]:
    """Return the request that a configuration with one connection makes."""
    configuration = parse(whole, environ={"OPENAI_API_KEY": "sk-x"}, kinds=kinds())
    async with Runtime(configuration, catalogue=CATALOGUE) as runtime:
        if "outgoing" in whole:
            return dict(members(await explain_outgoing(runtime, "made", {})))
        parameters = whole["incoming"]["made"]["subscriber"]["parameters"]
        client = runtime.client(parameters["client"])
        operation = CATALOGUE.find(parameters["entity"], parameters["action"])
        return client.explain(client.prepare(operation, parameters.get("request", {}))).as_document()


@pytest.mark.parametrize("name", FORMS)
def test_every_form_becomes_entries_without_errors(name: str, tmp_path: Path) -> None:
    assert faults(document(filled(name)), tmp_path) == []


BASE = "https://api.openai.com/v1"
RULES = [
    ("alumio-subscriber", {"request": {"query": {"limit": 5}}}, "GET", "/files?limit=5", None),
    ("prismatic-create-chat-completion", {}, "POST", "/chat/completions",
     {"model": "gpt-3.5-turbo", "messages": CHAT, "temperature": 1, "top_p": 1, "n": 1}),
    ("prismatic-create-image", {}, "POST", "/images/generations", {"prompt": "Hi", "n": 1, "size": "1024x1024"}),
    ("prismatic-create-response", {}, "POST", "/responses", {"model": "gpt-4.1", "input": "Hi"}),
    ("prismatic-get-model-by-id", {}, "GET", "/models/gpt-6-luna", None),
    ("prismatic-list-models", {}, "GET", "/models", None),
    ("prismatic-raw-request", {}, "GET", "/models", None),
    ("prismatic-raw-request", {"method": "POST", "url": "/moderations", "data": {"input": "Hi"}},
     "POST", "/moderations", {"input": "Hi"}),
    ("camunda-chat", {"systemMessage": "Be short."}, "POST", "/chat/completions",
     {"model": "gpt-6-luna", "messages": [SYSTEM, *CHAT], "n": 1, "temperature": 1}),
    ("dronahq-GetModels", {}, "GET", "/models", None),
    ("dronahq-CreateChatCompletion", {}, "POST", "/chat/completions", {"model": "gpt-6-luna", "messages": CHAT}),
    ("dronahq-DeleteFile", {}, "DELETE", "/files/id-1", None),
    ("dronahq-RetrieveFile", {}, "GET", "/files/id-1", None),
    ("dronahq-RetrieveFineTune", {}, "GET", "/fine_tuning/jobs/id-1", None),
    ("dronahq-CreateModeration", {"payload": {"input": "Hi"}}, "POST", "/moderations", {"input": "Hi"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "values", "method", "path", "body"), RULES)
async def test_it_makes_the_request_that_the_platform_would_send(
    name: str, values: dict[str, JSON], method: str, path: str, body: JSON
) -> None:
    request = await request_of(document(filled(name, **values)))
    assert (request["method"], request["url"]) == (method, f"{BASE}{path}")
    if body is not None:
        assert request["body"] == body


@pytest.mark.parametrize("action", ACTIONS)
async def test_an_action_with_all_its_fields_is_the_call_of_its_name(
    action: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("audio.mp3", "image.png", "document.pdf"):
        (tmp_path / name).write_bytes(b"x")
    operation = CATALOGUE.find(action)
    example = {part: value for part, value in describe(operation, CATALOGUE)["example"].items() if part in PARTS}
    made = document(filled(f"dronahq-{action}", **example))
    request = await request_of(made)
    client = parse({"clients": made["clients"]}, environ={"OPENAI_API_KEY": "sk-x"}).clients["ai"]
    async with client.client(catalogue=CATALOGUE) as opened:
        wanted = opened.explain(opened.prepare(operation, example)).as_document()
    assert (request["method"], request["url"], request.get("body")) == (
        wanted["method"], wanted["url"], wanted.get("body")
    )  # fmt: skip


async def test_a_moderation_of_camunda_checks_its_input() -> None:
    request = await request_of(document(filled("camunda-moderation")))
    assert request["url"] == f"{BASE}/moderations"
    assert request["body"]["input"] == "Hi"


def test_the_forms_are_those_of_the_platforms() -> None:
    titles = {
        vendor: [one.title for one in FORMS.values() if one.vendor == vendor] for vendor in ("DronaHQ", "Prismatic")
    }
    assert len(titles["DronaHQ"]) == 25
    assert len(titles["Prismatic"]) == 7
    assert {one.vendor for one in FORMS.values()} == {"Alumio", "DronaHQ", "Prismatic", "Camunda"}


def test_alumio_goes_by_way_of_its_export() -> None:
    made = filled("alumio-http-client", organization="org-1")
    (exported,) = made.exported
    assert exported["object"] == {
        "prototype": "openai-http-client",
        "parameters": {"baseUri": BASE, "token": "${OPENAI_API_KEY}", "organization": "org-1"},
    }
    assert made.values["clients", "made"] == {
        "prototype": "openai",
        "parameters": {"base_uri": BASE, "token": "${OPENAI_API_KEY}", "organization": "org-1"},
    }


def test_what_is_a_clients_here_is_said_and_set() -> None:
    values = {"maxRetries": 3, "retryDelayMS": 500, "timeout": 10_000, "debugRequest": True}
    made = filled("prismatic-raw-request", **values)
    parameters = document(made)["clients"]["ai"]["parameters"]
    assert parameters["retry"] == {"max_retries": 3, "delay": 0.5, "backoff": "fixed"}
    assert (parameters["timeouts"], parameters["logging"]) == ({"total": 10.0}, "full")
    assert any("of the client 'ai' here" in note for note in made.notes)
    assert any("there was no client 'ai'" in note for note in made.notes)


def test_what_cannot_be_carried_over_is_said() -> None:
    made = filled("camunda-chat", resultExpression="= {a: 1}", errorExpression="= null")
    assert [note.split(":")[0] for note in made.notes[1:]] == ["resultExpression", "errorExpression"]
    assert document(filled("camunda-authentication"))["clients"]["made"]["parameters"] == {"token": "${OPENAI_API_KEY}"}


def test_wrong_fields_are_refused_with_what_is_there() -> None:
    with pytest.raises(ConfigurationError, match=r"unknown field 'promt'.*prompt"):
        filled("prismatic-create-image", promt="x")
    with pytest.raises(ConfigurationError, match="modelId must be filled in"):
        fill(find_form("prismatic-get-model-by-id"), {}, name="a", client="b", known=True, catalogue=CATALOGUE)
    with pytest.raises(UnknownName, match="prismatic-list-models"):
        find_form("prismatic-list-model")
