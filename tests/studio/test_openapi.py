"""The document of the API: good enough for people, true for programs, in both versions."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from jsonschema import Draft4Validator
from typer.testing import CliRunner

from connector.cli.app import app
from connector.documents import parse
from connector.openapi import NULL, downgrade
from connector.studio.app import describe_api


@cache
def operations() -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method.upper()} {path}", operation)
        for path, methods in describe_api()["paths"].items()
        for method, operation in methods.items()
    ]


def test_each_operation_says_what_it_does() -> None:
    assert len(operations()) > 50
    for name, operation in operations():
        assert operation["summary"], name
        assert operation["description"], name
        assert operation["tags"], name
        for status in ("401", "403", "4XX", "5XX"):
            schema = operation["responses"][status]["content"]["application/problem+json"]["schema"]
            assert schema == {"$ref": "#/components/schemas/Problem"}, f"{name}: {status}"
        assert operation.get("security") or name == "POST /api/v1/session"


def test_each_operation_has_a_name_of_its_own() -> None:
    names = [operation["operationId"] for _, operation in operations()]
    assert len(set(names)) == len(names)


def test_each_tag_and_each_field_is_described() -> None:
    document = describe_api()
    tags = {tag["name"]: tag["description"] for tag in document["tags"]}
    assert tags.keys() == {tag for _, operation in operations() for tag in operation["tags"]}
    bare = [
        f"{name}.{field}"
        for name, schema in document["components"]["schemas"].items()
        for field, described in schema.get("properties", {}).items()
        if not described.get("description") and "$ref" not in described
    ]
    assert bare == []


def test_version_3_0_has_no_words_of_3_1() -> None:
    document = downgrade(describe_api())
    assert document["openapi"] == "3.0.3"
    for schema in document["components"]["schemas"].values():
        Draft4Validator.check_schema(schema)
    assert _find_words(document) == []
    paused = document["components"]["schemas"]["RouteStatus"]["properties"]["paused"]
    assert paused["anyOf"] == [{"$ref": "#/components/schemas/PauseInfo"}, NULL]


def _find_words(value: Any, path: str = "") -> list[str]:
    """Where a document says what only 3.1 knows."""
    if isinstance(value, list):
        return [found for index, item in enumerate(value) for found in _find_words(item, f"{path}[{index}]")]
    if not isinstance(value, dict):
        return []
    found = [f"{path}.{word}" for word in ("const", "examples", "prefixItems", "$defs") if word in value]
    found += [f"{path}.type"] if value.get("type") == "null" or isinstance(value.get("type"), list) else []
    return found + [each for key, item in value.items() for each in _find_words(item, f"{path}.{key}")]


@pytest.mark.parametrize(("words", "version"), [([], "3.1.0"), (["--format", "3.0"], "3.0.3")])
def test_the_command_prints_it(words: list[str], version: str) -> None:
    printed = CliRunner().invoke(app, ["openapi", "export", *words])
    assert printed.exit_code == 0, printed.output
    assert parse(printed.stdout)["openapi"] == version


async def test_the_studio_serves_it(call: Any) -> None:
    assert await call("GET", "/openapi.json") == describe_api()
