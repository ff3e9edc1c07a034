"""The JSON Schema takes what the loader takes, and names what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from connector.catalogue import Catalogue
from connector.config import Kinds, load
from connector.config.lint import lint
from connector.config.schema import json_schema
from connector.config.sources import files_of, read_files
from connector.config.tree import read_text
from connector.publishers import prototypes as outgoing
from connector.subscribers import prototypes as incoming
from connector.transform import registry

HERE = Path(__file__).parent
EXAMPLES = ["tickets.yaml", "variables.yaml", "folder"]
ENVIRON = {"OPENAI_API_KEY": "sk-x"}


@pytest.fixture(scope="module")
def real() -> Kinds:
    return Kinds.of(incoming(), outgoing())


@pytest.fixture(scope="module")
def schema(real: Kinds, catalogue: Catalogue) -> dict[str, Any]:
    return json_schema(real, catalogue)


@pytest.fixture(scope="module")
def validator(schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator(schema)


def refused(validator: Draft202012Validator, document: object) -> list[str]:
    return [error.json_path for error in validator.iter_errors(document)]


def test_it_is_a_schema(schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_valid_for_the_schema_the_loader_and_lint(
    name: str, validator: Draft202012Validator, real: Kinds, catalogue: Catalogue
) -> None:
    source = HERE / "examples" / name
    for file in files_of(source):
        assert refused(validator, read_files([file]).value) == []
    load(source, environ=ENVIRON, kinds=real)
    found = lint(source, environ=ENVIRON, kinds=real, catalogue=catalogue)
    assert [str(finding) for finding in found if finding.severity == "error"] == []


@pytest.mark.parametrize("rule", ["unknown-key", "missing-key", "wrong-value", "unknown-prototype", "wrong-step"])
def test_what_is_wrong_in_shape_is_refused_where_it_stands(rule: str, validator: Draft202012Validator) -> None:
    assert refused(validator, read_files([HERE / "golden" / f"{rule}.yaml"]).value)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("client: {}", ["$"]),
        ("clients: {a: {prototype: openai, parameters: {tokn: x}}}", ["$.clients.a.parameters"]),
        ("clients: {a: {prototype: openai, parameters: {retry: {maxRetries: 101}}}}",
         ["$.clients.a.parameters.retry.maxRetries"]),
        ("clients: {a: {prototype: openai, parameters: {retry: {max_retries: '${N}'}}}}", []),
        ("clients: {a: {prototype: opanai}}", ["$.clients.a.prototype"]),
        ("clients: {a: {prototype: http}}", ["$.clients.a"]),
        ("clients: {a: {prototype: http, parameters: {baseUri: 'https://x.example'}}}", []),
        ("clients: {a: {prototype: azure-openai}}", []),  # the environment may give the endpoint
        ("incoming: {a: {subscriber: {prototype: file}}}", ["$.incoming.a.subscriber"]),
        ("incoming: {a: {subscriber: {prototype: file, parameters: {url: x, ulr: y}}}}",
         ["$.incoming.a.subscriber.parameters"]),
        ("outgoing: {a: {publisher: {prototype: none}, chain: [x, value-setter: {}]}}",
         ["$.outgoing.a.chain[1]['value-setter']"]),
        ("outgoing: {a: {publisher: {prototype: none}, chain: [my-chain: {model: 1}]}}", []),
        ("chains: {a: [value-mapper: {accessor: a, mappers: [trim, cast-intt: 1]}]}",
         ["$.chains.a[0]['value-mapper'].mappers[1]"]),
        ("chains: {a: {steps: [], summry: x}}", ["$.chains.a"]),
        ("variables: {a: 1, b: {type: number}, c: null, d: {typ: number}}", ["$.variables.d"]),
        ("schedules: {a: {every: 1d, run: x}, b: {every: 1d, run: [route: x, 3]}}", ["$.schedules.b.run[1]"]),
        ("storages: {a: null, b: {path: x}, c: x}\nx-anything: 1\nroutes: null", ["$.storages.c"]),
        ("schedules: {a: {run: x}, b: {onStart: true, run: x}, c: {after: r, run: x}}", ["$.schedules.a"]),
        ("engine: sqlite:///a.db\nretention: {finished: 30d, failed: forever, skipped: 60, unknown: soon}",
         ["$.retention.unknown"]),
        ("engine: 3\nprices: {'gpt-5*': {input: 1, cachedInput: 0.1}, x: {inputs: 1}}", ["$.prices.x", "$.engine"]),
        ("gateway: {listen: 'localhost:1', hosts: x, tokens: {a: {hash: x, allow: [a], clients: b}, b: {allow: a}}}",
         ["$.gateway.tokens.b"]),
        ("gateway: null\ntelemetry: {traces: none, logs: loud}", ["$.telemetry.logs"]),
        ("routes: {a: {incoming: i, outgoing: o, retryDelay: 1m, budget: {every: day}}}", ["$.routes.a.budget"]),
        ("incoming: {a: {subscriber: {prototype: file, parameters: {url: x}}, cursor: {overlap: 5m}}}",
         ["$.incoming.a.cursor"]),
        ("outgoing: {a: {publisher: {prototype: none}, transport: batch, batch: {count: 60000, age: 1h}}}",
         ["$.outgoing.a.batch.count"]),
    ],
)  # fmt: skip
def test_places_are_named(text: str, places: list[str], validator: Draft202012Validator) -> None:
    assert refused(validator, read_text(text, "a.yaml").value) == places


def test_entities_and_actions_are_suggested_and_stay_open(schema: dict[str, Any]) -> None:
    parameters = schema["$defs"]["openai subscriber"]["properties"]
    assert "chat completions" in parameters["entity"]["examples"]
    assert "retrieve" in parameters["action"]["examples"]
    assert "enum" not in str(parameters["entity"])


def test_everything_that_can_be_written_is_described(schema: dict[str, Any]) -> None:
    for name, part in schema["$defs"].items():
        if name.startswith(("step ", "mapper ", "condition ", "accessor ")):
            assert "description" in str(part), name
    short = schema["$defs"]["step"]["then"]["else"]["properties"]
    assert {step.name for step in registry().steps} <= short.keys()


def test_camel_case_is_accepted_and_not_proposed(schema: dict[str, Any]) -> None:
    fields = schema["$defs"]["openai client"]["properties"]
    assert fields["adminToken"]["doNotSuggest"] is True
    assert "doNotSuggest" not in fields["admin_token"]
