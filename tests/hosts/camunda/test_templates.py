"""Element templates: every operation has a form, whose fields the worker reads and the published schema allows."""

from __future__ import annotations

import json
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connector.catalogue import Catalogue
from connector.errors import ConfigurationError
from connector.hosts.camunda.folder import write_templates
from connector.hosts.camunda.seed import seed_template
from connector.pipeline import load_configuration
from tests.hosts.camunda.rig import DAY, JOB_TYPE, judge, named, templates
from tests.warm import command

CHAT = "chat completions create"
CONFIGURATION = """
clients:
  openai: {prototype: openai, parameters: {token: "${OPENAI_API_KEY}"}}
outgoing:
  greet:
    description: Greets a customer by name.
    chain: [{chat-prompt: {model: gpt-6-luna, prompt: "Greet &{name}."}}]
    publisher: {prototype: openai, parameters: {client: openai, entity: chat completions, action: create}}
  later:
    transport: batch
    publisher: {prototype: openai, parameters: {client: openai, entity: chat completions, action: create}}
  plain:
    publisher: {prototype: openai, parameters: {client: openai, entity: moderations, action: create}}
camunda:
  operations: [moderations create, files *]
"""


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*command(), *words], cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def operation(name: str, day: date = DAY) -> dict[str, Any]:
    return templates(day).operation(Catalogue.open().find(name))


@pytest.fixture(scope="module")
def everything() -> list[dict[str, Any]]:
    writer = templates()
    return [*(writer.operation(one) for one in Catalogue.open().operations()), seed_template(writer)]


def test_the_published_schema_allows_every_form(everything: list[dict[str, Any]]) -> None:
    found = judge("validate.mjs", everything)
    assert len(found) == len(Catalogue.open().operations()) + 1
    assert [one for one in found if not one["valid"] or one["warnings"]] == []


def test_the_validator_finds_what_is_wrong(everything: list[dict[str, Any]]) -> None:
    """Without this, a validator that was called wrongly would allow everything."""
    wrong = json.loads(json.dumps(everything[0]))
    wrong["properties"][0]["binding"] = {"type": "zeebe:inputs", "name": "a"}
    assert [one["valid"] for one in judge("validate.mjs", [wrong])] == [False]


def test_every_operation_has_an_id_and_fields_of_its_own(everything: list[dict[str, Any]]) -> None:
    ids = [one["id"] for one in everything]
    assert len({*ids}) == len(ids)
    for template in everything:
        fields = [one["id"] for one in template["properties"] if "id" in one]
        assert len({*fields}) == len(fields), template["id"]
        groups = {one["id"] for one in template["groups"]}
        assert all(one.get("group", next(iter(groups))) in groups for one in template["properties"])
        conditions = [part for one in template["properties"] for part in _conditions(one)]
        assert {part["property"] for part in conditions} <= {*fields}, template["id"]


def test_every_condition_can_be_met(everything: list[dict[str, Any]]) -> None:
    for template in everything:
        choices = {
            one["id"]: {choice["value"] for choice in one["choices"]}
            for one in template["properties"]
            if one["type"] == "Dropdown"
        }
        for part in (part for one in template["properties"] for part in _conditions(one)):
            assert part["equals"] in choices[part["property"]], template["id"]


def test_required_members_of_a_request_have_fields_that_must_be_filled_in() -> None:
    chat = operation(CHAT)
    [messages] = named(chat, "openai_request.payload.messages")
    assert (messages["feel"], messages["constraints"]) == ("required", {"notEmpty": True})
    [file] = named(operation("files retrieve"), "openai_request.path.file_id")
    assert file["constraints"]["notEmpty"] is True
    [limit] = named(operation("files list"), "openai_request.query.limit")
    assert "notEmpty" not in limit["constraints"]


def test_numbers_have_their_bounds_and_what_is_assumed() -> None:
    [temperature] = named(operation(CHAT), "openai_request.payload.temperature")
    assert temperature["type"] == "Number"
    assert temperature["description"] == "A number from 0 to 2; 1 where it is left out."
    [choices] = named(operation(CHAT), "openai_request.payload.n")
    assert choices["constraints"]["pattern"]["message"] == "Must be a whole number from 1 to 128"


def test_a_union_is_a_choice_with_a_field_for_each_form() -> None:
    chat = operation(CHAT)
    selector, *forms = (one for one in chat["properties"] if "tool_choice" in one.get("id", ""))
    assert selector["choices"][0] == {"name": "(not given)", "value": ""}
    assert {one["value"] for one in selector["choices"]} >= {"one of the list", "function", "custom"}
    assert all(_conditions(one)[0]["property"] == selector["id"] for one in forms)
    kinds = [one for one in forms if one["binding"]["name"] == "openai_request.payload.tool_choice.type"]
    assert {(one["type"], one["value"]) for one in kinds} >= {("Hidden", "function"), ("Hidden", "custom")}


def test_only_living_models_are_offered_and_retiring_ones_say_when_they_end() -> None:
    def offered(day: date) -> dict[str, str]:
        [model] = (
            one for one in operation(CHAT, day)["properties"] if one.get("id", "").endswith("model/one-of-the-list")
        )
        return {one["value"]: one["name"] for one in model["choices"]}

    today, later = offered(DAY), offered(date(2027, 1, 14))
    assert today["gpt-4o"] == "gpt-4o (retires 2027-01-14)"
    assert "gpt-4o" not in later
    assert not {"gpt-3.5-turbo-0301", "codex-mini", "chatgpt-4o-latest"} & today.keys()
    assert next(iter(today)) == "gpt-6.1-terra"


def test_the_seed_has_the_names_and_defaults_of_camundas_own() -> None:
    seed = seed_template(templates())
    labels = [one["label"] for one in seed["properties"] if "label" in one]
    assert labels[:10] == [
        "OpenAI API key", "Operation", "Evaluation input", "Model", "Custom model", "System message", "Chat history",
        "Prompt", "Choices to generate", "Temperature",
    ]  # fmt: skip
    by_label = {one["label"]: one for one in seed["properties"] if "label" in one}
    assert (by_label["Operation"]["value"], by_label["Choices to generate"]["value"]) == ("chat", "1")
    assert by_label["OpenAI API key"]["value"] == "{{secrets.OPENAI_API_KEY}}"
    assert by_label["Model"]["choices"][-1] == {"name": "Custom", "value": "custom"}
    headers = [one["value"] for one in named(seed, "operation") if one["type"] == "Hidden"]
    assert headers == [CHAT, "moderations create"]


def test_every_form_says_what_becomes_of_answer_error_and_retries(everything: list[dict[str, Any]]) -> None:
    for template in everything:
        bound = {(one["binding"]["type"], one["binding"].get("key") or one["binding"].get("property"))
                 for one in template["properties"]}  # fmt: skip
        for key in ("resultVariable", "resultExpression", "errorExpression", "retryBackoff"):
            assert ("zeebe:taskHeader", key) in bound
        assert {("zeebe:taskDefinition", "type"), ("zeebe:taskDefinition", "retries")} <= bound
        [job_type] = (one for one in template["properties"] if one["binding"].get("property") == "type")
        assert job_type["value"] == JOB_TYPE


def test_a_version_rises_only_with_the_content(tmp_path: Path) -> None:
    first = write_templates(tmp_path, [operation(CHAT), operation("files list")])
    again = write_templates(tmp_path, [operation(CHAT), operation("files list")])
    later = write_templates(tmp_path, [operation(CHAT, date(2027, 1, 14)), operation("files list")])
    assert [(one.version, one.change) for one in first] == [(1, "new"), (1, "new")]
    assert [(one.version, one.change) for one in again] == [(1, "unchanged"), (1, "unchanged")]
    assert [(one.version, one.change) for one in later] == [(2, "changed"), (1, "unchanged")]
    assert json.loads(later[0].path.read_text())["version"] == 2


def test_a_file_that_is_no_template_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "openai-connector.operation.files-list.json"
    path.write_text('{"mine": true}')
    with pytest.raises(ConfigurationError, match="no element template with a version; move the file away"):
        write_templates(tmp_path, [operation("files list")])
    assert path.read_text() == '{"mine": true}'


def test_a_connection_has_a_form_of_what_its_chain_reads(tmp_path: Path) -> None:
    (tmp_path / "connector.yaml").write_text(CONFIGURATION)
    configuration = load_configuration(tmp_path / "connector.yaml")
    greet = templates().outgoing(configuration, "greet")
    [name] = named(greet, "openai_request.document.name")
    assert (name["constraints"], name["feel"]) == ({"notEmpty": True}, "optional")
    assert greet["description"] == "Greets a customer by name."
    assert named(greet, "openai_key") == []
    [document] = named(templates().outgoing(configuration, "plain"), "openai_request.document")
    assert document["feel"] == "required"
    assert [one["valid"] for one in judge("validate.mjs", [greet])] == [True]


def test_the_command_exports_what_is_configured(tmp_path: Path) -> None:
    (tmp_path / "connector.yaml").write_text(CONFIGURATION)
    done = run(tmp_path, "export", "camunda")
    assert done.returncode == 0, done.stderr
    assert [one["id"].removeprefix("openai-connector.") for one in json.loads(done.stdout)] == [
        "operation.moderations-create", "operation.files-create", "operation.files-delete", "operation.files-list",
        "operation.files-retrieve", "outgoing.greet", "outgoing.plain",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--outgoing", "later"], "it answers no single call"),
        (["--outgoing", "grete"], "did you mean 'greet'"),
        (["--operation", "chat completion creat"], "--operation: "),
    ],
)
def test_what_cannot_be_exported_is_said(tmp_path: Path, arguments: list[str], said: str) -> None:
    (tmp_path / "connector.yaml").write_text(CONFIGURATION)
    done = run(tmp_path, "export", "camunda", *arguments)
    assert done.returncode == 2
    assert said in done.stderr


def _conditions(one: dict[str, Any]) -> list[dict[str, Any]]:
    condition = one.get("condition")
    return [] if condition is None else condition.get("allMatch", [condition])
