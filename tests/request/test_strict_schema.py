"""The strict twin of a schema accepts what is valid and known, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

from connector.catalogue import Catalogue
from connector.request.plan import Plan
from connector.request.validation import close_schema

PERSON = {"type": "object", "properties": {"name": {"type": "string"}}}
AGED = {"type": "object", "properties": {"age": {"type": "integer"}}}
DEFS = {
    "Person": PERSON,
    "Aged": AGED,
    "Both": {"allOf": [{"$ref": "#/$defs/Person"}, {"$ref": "#/$defs/Aged"}]},
    "Tree": {"type": "object", "properties": {"left": {"$ref": "#/$defs/Tree"}, "label": {"type": "string"}}},
    "Free": {"type": "object"},
}


def accepts(schema: dict[str, Any], value: object) -> bool:
    return Draft202012Validator(close_schema({**schema, "$defs": DEFS})).is_valid(value)


@pytest.mark.parametrize(
    ("schema", "known", "unknown"),
    [
        (PERSON, {"name": "a"}, {"nam": "a"}),
        ({"$ref": "#/$defs/Person"}, {"name": "a"}, {"nam": "a"}),
        ({"$ref": "#/$defs/Both"}, {"name": "a", "age": 1}, {"name": "a", "ag": 1}),
        ({"allOf": [PERSON, AGED]}, {"name": "a", "age": 1}, {"x": 1}),
        ({"anyOf": [PERSON, {"type": "string"}]}, {"name": "a"}, {"nam": "a"}),
        ({"anyOf": [PERSON, {"type": "string"}]}, "text", {"nam": "a"}),
        ({"oneOf": [{"$ref": "#/$defs/Both"}, {"type": "null"}]}, {"age": 1}, {"agee": 1}),
        ({"properties": {"a": {}}, "anyOf": [PERSON, AGED]}, {"a": 1, "name": "x", "age": 1}, {"a": 1, "b": 1}),
        ({"$ref": "#/$defs/Person", "properties": {"a": {}}}, {"a": 1, "name": "x"}, {"a": 1, "b": 1}),
        ({"type": "array", "items": PERSON}, [{"name": "a"}], [{"nam": "a"}]),
        ({"type": "object", "additionalProperties": PERSON}, {"any": {"name": "a"}}, {"any": {"nam": "a"}}),
        ({"properties": {"p": {"$ref": "#/$defs/Both"}}}, {"p": {"age": 1}}, {"p": {"agee": 1}}),
        ({"$ref": "#/$defs/Tree"}, {"left": {"left": {"label": "x"}}}, {"left": {"left": {"lable": "x"}}}),
    ],
)
def test_unknown_fields_are_refused_at_every_depth(schema: dict[str, Any], known: object, unknown: object) -> None:
    assert accepts(schema, known)
    assert not accepts(schema, unknown)
    assert Draft202012Validator({**schema, "$defs": DEFS}).is_valid(unknown)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "object"}, {"any": 1}),
        ({}, {"any": 1}),
        ({"$ref": "#/$defs/Free"}, {"any": 1}),
        ({"allOf": [PERSON, {"$ref": "#/$defs/Free"}]}, {"any": 1}),
        ({"properties": {"a": {}}, "additionalProperties": True}, {"any": 1}),
        ({"properties": {"a": {}}, "additionalProperties": {"type": "integer"}}, {"any": 1}),
        ({"properties": {"a": {}}, "patternProperties": {"^x-": {}}}, {"x-any": 1}),
        ({"properties": {"a": {"type": "object"}}}, {"a": {"any": 1}}),
    ],
)
def test_objects_that_are_open_on_purpose_stay_open(schema: dict[str, Any], value: object) -> None:
    assert accepts(schema, value)


def test_the_source_is_left_alone() -> None:
    source: dict[str, Any] = {"$ref": "#/$defs/Person", "$defs": {"Person": dict(PERSON)}}
    close_schema(source)
    assert source == {"$ref": "#/$defs/Person", "$defs": {"Person": PERSON}}


def test_every_payload_of_the_catalogue_is_an_object_whose_twin_compiles(catalogue: Catalogue) -> None:
    plans = [Plan(catalogue, operation) for operation in catalogue.operations()]
    twins = [plan.payload(kind).twin for plan in plans for kind in plan.operation.body if kind != "sdp"]
    assert len(twins) > 100
    for twin in twins:
        assert not Draft202012Validator(twin).is_valid(7)
