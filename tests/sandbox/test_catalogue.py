"""Every operation of the catalogue, called by the connector with an example request."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from jsonschema_rs import Draft202012Validator

from connector.catalogue import Catalogue, Operation
from connector.catalogue.examples import example_request
from connector.http import Client
from connector.model import JSON, is_document, is_list
from connector.sandbox import Sandbox, in_thread

CATALOGUE = Catalogue.open()
OPERATIONS = CATALOGUE.operations()
AREAS = sorted({operation.area for operation in OPERATIONS if not operation.removed})
REMOVED = [operation for operation in OPERATIONS if operation.removed]
STREAMING = [operation for operation in OPERATIONS if "events" in operation.answer and not operation.removed]
FILE = {"$content": "aGVsbG8=", "filename": "hello.txt"}


@pytest.fixture(scope="module")
def lenient() -> Iterator[Sandbox]:
    with in_thread(Sandbox(lenient=True, catalogue=CATALOGUE, clock=lambda: 1_767_225_600.0)) as sandbox:
        yield sandbox


@pytest.fixture
def client(lenient: Sandbox) -> Client:
    return Client(catalogue=CATALOGUE, environ={}, base_uri=lenient.url, token="any", admin_token="any")


@pytest.mark.parametrize("area", AREAS)
async def test_every_operation_answers_in_the_shape_that_the_catalogue_gives_it(client: Client, area: str) -> None:
    wrong: dict[str, object] = {}
    async with client:
        for operation in OPERATIONS:
            if operation.area == area and not operation.removed:
                found = await _wrong(client, operation)
                wrong |= {operation.wire_name: found} if found else {}
    assert wrong == {}


async def test_what_was_removed_from_the_api_is_refused_with_a_code(client: Client) -> None:
    async with client:
        for operation in REMOVED:
            outcome = await client.send(client.prepare(operation, _request(operation)))
            assert (outcome.status, outcome.body["error"]["code"]) == (404, "endpoint_removed"), operation.wire_name


@pytest.mark.parametrize("operation", STREAMING, ids=lambda operation: operation.wire_name)
async def test_every_stream_comes_to_its_end(client: Client, operation: Operation) -> None:
    async with client:
        outcome = await client.send(client.prepare(operation, _request(operation), stream=True))
    assert outcome.ok, outcome.sentence()


async def _wrong(client: Client, operation: Operation) -> object:
    """What is wrong with an operation's answer; nothing when it is right."""
    wire = client.prepare(operation, _request(operation))
    outcome = await client.send(wire)
    if not outcome.ok:
        return outcome.sentence()
    schema = CATALOGUE.answer_schema(operation) if wire.answer == "json" else None
    errors = Draft202012Validator(schema).iter_errors(outcome.body) if schema else ()
    return [f"{error.instance_path}: {error.message[:200]}" for error in errors]


def _request(operation: Operation) -> dict[str, JSON]:
    return {section: _with_files(value) for section, value in example_request(operation, CATALOGUE).items()}


def _with_files(value: JSON) -> JSON:
    """An example whose files are at hand."""
    if is_document(value):
        return FILE if "$file" in value else {name: _with_files(child) for name, child in value.items()}
    return [_with_files(child) for child in value] if is_list(value) else value
