"""OpenAPI documents of operations: true by our own account, and valid for those who did not write them."""

from __future__ import annotations

import copy
import json
import subprocess
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from typer.testing import CliRunner

from connector.catalogue import Catalogue
from connector.catalogue.examples import example_request
from connector.cli.app import app
from connector.errors import ConfigurationError
from connector.hosts.offers import match_operations
from connector.hosts.openapi.document import describe_operations, one_each
from connector.openapi import downgrade
from connector.studio.app import describe_api
from tests.hosts.judges import NODE, needed_judge, node_package, variables

REDOCLY = node_package("openapi", "@redocly", "cli", "bin", "cli.js")
SPECTRAL = node_package("openapi", "@stoplight", "spectral-cli", "dist", "index.js")
RULES = '{"extends": ["spectral:oas"], "rules": {"info-contact": "off"}}'
SOME = ("files *", "chat completions create", "moderations create", "images generate", "vector stores *")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.open()


def exported(*words: str) -> dict[str, Any]:
    printed = CliRunner().invoke(app, ["openapi", "export", *words])
    assert printed.exit_code == 0, printed.output
    document: dict[str, Any] = json.loads(printed.stdout)
    return document


def redocly(document: dict[str, Any], folder: Path) -> list[str]:
    """What Redocly finds wrong by the specification alone."""
    (folder / "document.json").write_text(json.dumps(document))
    command = [str(NODE), str(needed_judge(REDOCLY)), "lint", "document.json", "--extends", "spec", "--format", "json"]
    environment = variables(REDOCLY_TELEMETRY="off", REDOCLY_SUPPRESS_UPDATE_NOTICE="true")
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return [f"{one['ruleId']}: {one['message']}" for one in json.loads(ended.stdout)["problems"]]


def spectral(document: dict[str, Any], folder: Path) -> list[str]:
    """What Spectral finds wrong or worth a warning, but for who is to be written to."""
    (folder / "document.json").write_text(json.dumps(document))
    (folder / "rules.json").write_text(RULES)
    command = [str(NODE), str(needed_judge(SPECTRAL)), "lint", "document.json", "-r", "rules.json", "-f", "json"]
    ended = subprocess.run(command, cwd=folder, env=variables(), capture_output=True, text=True, check=False)
    said = ended.stdout
    return [f"{one['code']}: {one['message']}" for one in json.loads(said[: said.rindex("]") + 1] or "[]")]


@pytest.mark.parametrize("version", ["3.0", "3.1"])
def test_all_operations_are_valid_for_redocly(version: str, tmp_path: Path) -> None:
    document = exported("--operation", "*", "--format", version)
    assert document["openapi"].startswith(version)
    assert len([method for methods in document["paths"].values() for method in methods]) > 240
    assert redocly(document, tmp_path) == []


@pytest.mark.parametrize("version", ["3.0", "3.1"])
def test_the_api_of_the_studio_is_valid_for_both(version: str, tmp_path: Path) -> None:
    document = describe_api() if version == "3.1" else downgrade(describe_api())
    assert redocly(document, tmp_path) == []
    assert spectral(document, tmp_path) == []


def test_what_a_platform_imports_is_valid_for_spectral(tmp_path: Path) -> None:
    chosen = [word for name in SOME for word in ("--operation", name)]
    assert spectral(exported(*chosen, "--format", "3.0"), tmp_path) == []


def _forget_a_place(document: dict[str, Any]) -> None:
    del document["paths"]["/files/{file_id}"]["get"]["parameters"][0]["in"]


def _forget_a_parameter(document: dict[str, Any]) -> None:
    document["paths"]["/files/{file_id}"]["get"]["parameters"] = []


def _refer_to_nothing(document: dict[str, Any]) -> None:
    del document["components"]["schemas"]["OpenAIFile"]


def _say_null_as_3_1_does(document: dict[str, Any]) -> None:
    document["components"]["schemas"]["OpenAIFile"]["properties"]["bytes"] = {"type": ["integer", "null"]}


@pytest.mark.parametrize("break_it", [_forget_a_place, _forget_a_parameter, _refer_to_nothing, _say_null_as_3_1_does])
def test_the_judge_finds_a_document_with_a_mistake(break_it: Any, tmp_path: Path) -> None:
    document = copy.deepcopy(exported("--operation", "files *", "--format", "3.0"))
    break_it(document)
    assert redocly(document, tmp_path)


def test_an_example_of_each_request_is_what_its_schema_allows(catalogue: Catalogue) -> None:
    operations, _ = one_each(match_operations(SOME, catalogue, "--operation"))
    document = describe_operations(operations, catalogue, "https://api.openai.com/v1")
    checked = 0
    for operation in operations:
        described: Any = document["paths"][operation.template][operation.method.lower()]  # type: ignore[index, call-overload]
        content = described.get("requestBody", {}).get("content", {}).get("application/json")
        if content is None:
            continue
        whole = {**content["schema"], "components": document["components"]}
        validator = jsonschema_rs.validator_for(whole)
        payload = example_request(operation, catalogue)["payload"]
        assert validator.is_valid(payload), operation.name
        assert not validator.is_valid("no object"), operation.name
        checked += 1
    assert checked >= 5


def test_operations_that_only_differ_by_their_query_are_named() -> None:
    printed = CliRunner().invoke(app, ["openapi", "export", "--operation", "*responses create"])
    assert "left out: beta responses create: OpenAPI has one operation for each method and path" in printed.stderr
    alone = exported("--operation", "beta responses create")
    [beta] = [one for one in alone["paths"]["/responses"]["post"]["parameters"] if one["name"] == "beta"]
    assert beta == {
        "name": "beta", "in": "query", "required": True, "schema": {"type": "string", "enum": ["true"]}
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--operation", "chat completion creat"], "did you mean"),
        (["--operation", "files *", "--server", "api.example"], "an address that begins with https:// or http://"),
        (["--operation", "files *", "--format", "2.0"], "3.1 or 3.0"),
    ],
)
def test_wrong_input_is_told(words: list[str], said: str) -> None:
    printed = CliRunner().invoke(app, ["openapi", "export", *words])
    assert isinstance(printed.exception, ConfigurationError)
    assert said in str(printed.exception)
