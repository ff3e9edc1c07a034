"""Each rule by which a document's schemas are mended."""

from typing import Any

import jsonschema_rs
import pytest
from jsonschema import Draft202012Validator

from connector.catalogue.importer.definitions import Definitions
from connector.catalogue.importer.normalization import normalize_schema

MENDED: dict[str, tuple[Any, Any]] = {
    "nullable type": ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
    "nullable list of types": (
        {"type": ["string", "integer"], "nullable": True},
        {"type": ["string", "integer", "null"]},
    ),
    "nullable that was so already": ({"type": ["string", "null"], "nullable": True}, {"type": ["string", "null"]}),
    "nullable false": ({"type": "string", "nullable": False}, {"type": "string"}),
    "nullable anything": ({"nullable": True}, {}),
    "nullable enum": (
        {"type": "string", "enum": ["a"], "nullable": True},
        {"type": ["string", "null"], "enum": ["a", None]},
    ),
    "nullable enum with null": (
        {"enum": ["a", None], "nullable": True},
        {"anyOf": [{"enum": ["a", None]}, {"type": "null"}]},
    ),
    "nullable reference": (
        {"$ref": "#/components/schemas/A", "nullable": True},
        {"anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}]},
    ),
    "nullable beside a reference": (
        {"allOf": [{"$ref": "#/components/schemas/A"}, {"nullable": True}]},
        {"anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}]},
    ),
    "nullable union": (
        {"oneOf": [{"type": "string"}, {"type": "integer"}], "nullable": True, "default": None},
        {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}], "default": None},
    ),
    "nullable typed union": (
        {"type": "object", "anyOf": [{"required": ["a"]}], "nullable": True},
        {"anyOf": [{"type": "object", "anyOf": [{"required": ["a"]}]}, {"type": "null"}]},
    ),
    "a property called nullable": (
        {"type": "object", "properties": {"nullable": {"type": "boolean"}, "$ref": {"type": "string"}}},
        {"type": "object", "properties": {"nullable": {"type": "boolean"}, "$ref": {"type": "string"}}},
    ),
    "exclusive minimum": (
        {"type": "number", "minimum": 0, "exclusiveMinimum": True},
        {"type": "number", "exclusiveMinimum": 0},
    ),
    "inclusive minimum": (
        {"type": "number", "minimum": 0, "exclusiveMinimum": False},
        {"type": "number", "minimum": 0},
    ),
    "exclusive maximum": (
        {"type": "number", "maximum": 2, "exclusiveMaximum": True},
        {"type": "number", "exclusiveMaximum": 2},
    ),
    "exclusive without a bound": ({"type": "number", "exclusiveMinimum": True}, {"type": "number"}),
    "exclusive number": ({"type": "number", "exclusiveMinimum": 0}, {"type": "number", "exclusiveMinimum": 0}),
    "recursion": ({"not": {"$recursiveRef": "#"}, "$recursiveAnchor": True}, {"not": {"$ref": "#/$defs/Root"}}),
    "one of": ({"oneOf": [{"type": "string"}]}, {"anyOf": [{"type": "string"}]}),
    "one of beside any of": (
        {"anyOf": [{"required": ["a"]}], "oneOf": [{"required": ["b"]}]},
        {"anyOf": [{"required": ["a"]}], "allOf": [{"anyOf": [{"required": ["b"]}]}]},
    ),
    "bounds rounded by floats": (
        {"type": "integer", "minimum": -9223372036854776000, "maximum": 1e19},
        {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1},
    ),
    "a large bound of a number": ({"type": "number", "maximum": 1e300}, {"type": "number", "maximum": 1e300}),
    "prose": (
        {
            "type": "string",
            "title": "T",
            "description": "D",
            "example": 1,
            "examples": [],
            "x-y": 1,
            "externalDocs": {},
            "xml": {},
        },
        {"type": "string"},
    ),
    "facts": ({"type": "string", "default": "a", "deprecated": True, "format": "uri"},) * 2,
    "meaningless facts": ({"type": "object", "required": [], "deprecated": False}, {"type": "object"}),
    "required as in version 3 drafts": ({"type": "string", "required": True}, {"type": "string"}),
    "required twice": ({"required": ["a", "b", "a"]}, {"required": ["a", "b"]}),
    "a pattern that is none": ({"type": "string", "pattern": "(a"}, {"type": "string"}),
    "discriminator": (
        {"anyOf": [{}], "discriminator": {"propertyName": "type", "mapping": {"a": "#/components/schemas/A"}}},
        {"anyOf": [{}], "discriminator": {"propertyName": "type"}},
    ),
    "a file": ({"type": "string", "format": "binary"}, {"type": ["string", "object"], "format": "binary"}),
    "a closed list of models": (
        {"type": "object", "properties": {"model": {"type": "string", "enum": ["a", "b"], "default": "a"}}},
        {
            "type": "object",
            "properties": {
                "model": {"anyOf": [{"type": "string"}, {"type": "string", "enum": ["a", "b"]}], "default": "a"}
            },
        },
    ),
    "deep": (
        {"not": {"contains": {"nullable": True, "type": "string"}}},
        {"not": {"contains": {"type": ["string", "null"]}}},
    ),
    "an object that is not called one": (
        {"properties": {"a": {}}, "nullable": True},
        {"type": ["object", "null"], "properties": {"a": {}}},
    ),
    "an array that is not called one": ({"items": {}}, {"type": "array", "items": {}}),
    "what may be either": ({"items": {}, "properties": {}}, {"items": {}, "properties": {}}),
    "true": (True, True),
}


def rename(reference: str) -> str:
    return reference.replace("#/components/schemas/", "#/$defs/")


@pytest.mark.parametrize("case", MENDED)
def test_a_schema_is_mended_by_rule(case: str) -> None:
    found, wanted = MENDED[case]
    mended = normalize_schema(found, "Root", rename)
    assert mended == wanted
    Draft202012Validator.check_schema(mended)


@pytest.mark.parametrize("case", MENDED)
def test_mending_twice_is_mending_once(case: str) -> None:
    once = normalize_schema(MENDED[case][0], "Root", rename)
    assert normalize_schema(once, "Root", rename) == (once if case != "a closed list of models" else MENDED[case][1])


def test_a_model_that_refers_to_a_closed_list_is_open() -> None:
    schemas = {"Names": {"enum": ["a", "b"]}, "Call": {"properties": {"model": {"$ref": "#/components/schemas/Names"}}}}
    call = Definitions({"components": {"schemas": schemas}}).schemas["Call"]
    assert call["properties"]["model"] == {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/Names"}]}


def test_names_that_a_pointer_cannot_hold_are_made_safe_and_stay_apart() -> None:
    names = {"A b": {}, "A/b": {}, "A_b": {"not": {"$ref": "#/components/schemas/A b"}}}
    definitions = Definitions({"components": {"schemas": names}})
    assert list(definitions.schemas) == ["A_b", "A_b_", "A_b__"]
    assert definitions.schemas["A_b__"] == {"not": {"$ref": "#/$defs/A_b"}}


def test_a_schema_in_place_gets_a_name_that_is_free() -> None:
    definitions = Definitions({"components": {"schemas": {"AddRequest": {}}}})
    assert definitions.place({"type": "object"}, "AddRequest") == "AddRequestInline"
    assert definitions.place({"$ref": "#/components/schemas/AddRequest"}, "Other") == "AddRequest"


def test_a_reference_to_anywhere_else_in_the_document_becomes_a_definition() -> None:
    document = {
        "components": {
            "schemas": {"A": {"not": {"$ref": "#/components/headers/Size/schema"}}},
            "headers": {"Size": {"schema": {"type": "integer"}}},
        }
    }
    definitions = Definitions(document)
    assert definitions.schemas["A"] == {"not": {"$ref": "#/$defs/ComponentsHeadersSizeSchema"}}
    assert definitions.schemas["ComponentsHeadersSizeSchema"] == {"type": "integer"}


def test_small_definitions_are_written_out_in_parameters() -> None:
    schemas = {"Order": {"enum": ["asc", "desc"]}, "Tree": {"not": {"$ref": "#/components/schemas/Tree"}}}
    definitions = Definitions({"components": {"schemas": schemas}})
    parameter = {
        "type": "array",
        "items": {"anyOf": [{"$ref": "#/components/schemas/Order"}, {"$ref": "#/components/schemas/Tree"}]},
    }
    assert definitions.parameter(parameter) == {
        "type": "array",
        "items": {"anyOf": [{"enum": ["asc", "desc"]}, {"$ref": "#/$defs/Tree"}]},
    }


def test_mended_schemas_keep_their_meaning() -> None:
    mended = normalize_schema(
        {"type": "integer", "nullable": True, "minimum": 1, "exclusiveMinimum": True}, "Root", rename
    )
    verdict = jsonschema_rs.validator_for(mended).is_valid
    assert [verdict(value) for value in (2, None, 1, "2")] == [True, True, False, False]
