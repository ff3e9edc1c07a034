"""The committed catalogue: what it must hold, and that all of it is sound."""

import json
from collections import Counter
from functools import cache
from typing import Any

import jsonschema_rs
import pytest
from jsonschema import Draft202012Validator

from connector.catalogue import Catalogue, Operation
from connector.catalogue.examples import example_request
from connector.model import Effect

CATALOGUE = Catalogue.open()
OPERATIONS = CATALOGUE.operations()

DRONAHQ = {
    "GetModels": "GET /models",
    "CreateCompletion": "POST /completions",
    "CreateChatCompletion": "POST /chat/completions",
    "CreateEdit": "POST /edits",
    "CreateImage": "POST /images/generations",
    "CreateImageEdit": "POST /images/edits",
    "CreateImageVariation": "POST /images/variations",
    "CreateEmbeddings": "POST /embeddings",
    "CreateTranscription": "POST /audio/transcriptions",
    "CreateTranslation": "POST /audio/translations",
    "ListFiles": "GET /files",
    "UploadFile": "POST /files",
    "DeleteFile": "DELETE /files/{file_id}",
    "RetrieveFile": "GET /files/{file_id}",
    "RetrieveFileContent": "GET /files/{file_id}/content",
    "CreateFineTune": "POST /fine-tunes",
    "ListFineTunes": "GET /fine-tunes",
    "RetrieveFineTune": "GET /fine-tunes/{fine_tune_id}",
    "CancelFineTune": "POST /fine-tunes/{fine_tune_id}/cancel",
    "ListFineTuneEvents": "GET /fine-tunes/{fine_tune_id}/events",
    "DeleteFineTunedModel": "DELETE /models/{model}",
    "CreateModeration": "POST /moderations",
    "ListEngines": "GET /engines",
    "RetrieveEngine": "GET /engines/{engine_id}",
}


def each(operations: tuple[Operation, ...] = OPERATIONS) -> Any:
    return pytest.mark.parametrize("operation", operations, ids=lambda operation: operation.wire_name)


def schemas(operation: Operation) -> list[dict[str, Any]]:
    found = [CATALOGUE.payload_schema(operation), CATALOGUE.query_schema(operation), CATALOGUE.path_schema(operation)]
    found += [CATALOGUE.payload_schema(operation, kind) for kind in operation.alternatives]
    found += [CATALOGUE.answer_schema(operation, kind) for kind in operation.answer]
    return [schema for schema in found if schema is not None]


def test_how_many_there_are() -> None:
    assert len(OPERATIONS) == 408
    assert sum(operation.removed is not None for operation in OPERATIONS) == 20
    current = [operation for operation in OPERATIONS if operation.removed is None]
    assert Counter(operation.method for operation in current) == {"GET": 170, "POST": 162, "DELETE": 56}
    assert len({operation.wire_name for operation in OPERATIONS}) == 408
    assert len({operation.name for operation in OPERATIONS}) == 408


@pytest.mark.parametrize("name", DRONAHQ)
def test_the_names_of_dronahq(name: str) -> None:
    assert CATALOGUE.find(name).wire_name == DRONAHQ[name]


@each()
def test_every_schema_compiles_and_is_valid_2020_12(operation: Operation) -> None:
    for schema in schemas(operation):
        jsonschema_rs.validator_for(schema)
        for definition in schema.get("$defs", {}).values():
            check_once(json.dumps(definition))
        check_once(json.dumps({**schema, "$defs": {}}))


@cache
def check_once(schema: str) -> None:
    """Check against the meta-schema; many operations have the same definitions, and its reference takes long."""
    Draft202012Validator.check_schema(json.loads(schema))


@each()
def test_every_example_validates(operation: Operation) -> None:
    example = example_request(operation, CATALOGUE)
    assert set(example) <= {"path", "query", "payload"}
    assert list(example.get("path", {})) == list(operation.parameters)
    for part, schema in (
        ("path", CATALOGUE.path_schema(operation)),
        ("query", CATALOGUE.query_schema(operation)),
        ("payload", CATALOGUE.payload_schema(operation)),
    ):
        if schema is not None:
            jsonschema_rs.validator_for(schema).validate(example.get(part, {}))
        else:
            assert part not in example


@each()
def test_every_entry_is_consistent(operation: Operation) -> None:
    assert set(operation.path) <= set(operation.parameters)
    assert set(operation.required_query) <= set(operation.query)
    assert operation.answer
    assert set(operation.answer) <= {"json", "events", "binary", "text", "empty"}
    assert set(operation.body) <= {"json", "multipart", "sdp"}
    assert (operation.payload is None) == (not operation.body)
    assert set(operation.alternatives) <= set(operation.body)
    assert operation.key in ("project", "admin")
    assert operation.pages in (None, "cursor", "next", "page")
    assert operation.stream in (None, "payload", "query")
    if operation.stream is not None:
        assert "events" in operation.answer
        assert operation.ends or operation.area in ("agents", "removed")
    if operation.method == "GET":
        assert operation.effect is Effect.NONE
        assert not operation.body
    if operation.method == "DELETE":
        assert operation.effect is Effect.IDEMPOTENT


@each(tuple(operation for operation in OPERATIONS if operation.effect is Effect.RECONCILABLE))
def test_what_is_reconcilable_says_how(operation: Operation) -> None:
    assert {"list", "by"} <= set(operation.reconcile) <= {"list", "by", "as", "when"}
    listing = CATALOGUE.find(operation.reconcile["list"], "list")
    assert listing.method == "GET"
    assert set(listing.parameters) <= set(operation.parameters)
    schema = CATALOGUE.answer_schema(listing)
    assert schema is not None
    listed = {operation.reconcile.get("as", operation.reconcile["by"])}
    assert listed <= {name for definition in schema["$defs"].values() for name in definition.get("properties", {})}


def test_nothing_else_says_how_to_reconcile() -> None:
    assert not [one.name for one in OPERATIONS if one.reconcile and one.effect is not Effect.RECONCILABLE]


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("chat completions create", {"stream": "payload", "ends": ("[DONE]",), "key": "project"}),
        (
            "responses retrieve",
            {"stream": "query", "ends": ("response.completed", "response.failed", "response.incomplete")},
        ),
        ("audio speech create", {"stream": "payload", "stream_on": {"stream_format": "sse"}}),
        ("file content", {"answer": {"binary": None}}),
        (
            "realtime calls create",
            {"body": ("multipart", "sdp"), "parts": {"sdp": "application/sdp", "session": "application/json"}},
        ),
        ("assistants list", {"beta": "assistants=v2", "pages": "cursor", "deprecated": True}),
        ("chatkit sessions create", {"beta": "chatkit_beta=v1"}),
        ("agents list", {"beta": "agents=v1"}),
        ("organization groups list", {"pages": "next", "key": "admin"}),
        ("costs list", {"pages": "page", "key": "admin", "required_query": ("start_time",)}),
        ("models list", {"pages": None}),
        ("vector store searches create", {"effect": Effect.NONE, "pages": None}),
        ("embeddings create", {"effect": Effect.OPAQUE}),
        ("batches cancel", {"effect": Effect.IDEMPOTENT}),
        ("edits create", {"removed": "2024-01-04"}),
        ("answers create", {"removed": "2022-12-03"}),
        ("assistant files list", {"removed": "2024-12-18", "beta": "assistants=v1"}),
        ("container deletes", None),
        ("beta responses create", {"fixed_query": {"beta": "true"}, "beta": None}),
    ],
)
def test_facts_that_no_document_tells(name: str, facts: dict[str, Any] | None) -> None:
    if facts is None:
        assert CATALOGUE.find("containers delete").answer == {"empty": None}
    else:
        operation = CATALOGUE.find(name)
        assert {key: getattr(operation, key) for key in facts} == facts


def test_model_names_are_never_closed() -> None:
    for name in ("responses create", "chat completions create", "assistants create", "image generations create"):
        operation = CATALOGUE.find(name)
        example = example_request(operation, CATALOGUE)
        schema = CATALOGUE.payload_schema(operation)
        assert schema is not None
        jsonschema_rs.validator_for(schema).validate({**example["payload"], "model": "a-model-of-next-year"})


def test_webhook_payloads_are_kept() -> None:
    assert {name for name in CATALOGUE.definitions() if name.startswith("Webhook")} >= {"WebhookBatchCompleted"}
