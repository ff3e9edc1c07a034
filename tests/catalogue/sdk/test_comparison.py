"""What the SDK allows and a document refuses is found, at its place; what both allow is not."""

from __future__ import annotations

from typing import Any

import pytest

from connector.catalogue.importer.sdk.comparison import Comparison
from connector.catalogue.importer.sdk.document import Document, Node

TEXT = {"type": "string"}
NULL = {"type": "null"}


def tagged(tag: str, **fields: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"type": {"type": "string", "enum": [tag]}, **fields}, "required": ["type"]}


def ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def patches(mine: Any, theirs: Any, definitions: Any = None, components: Any = None) -> list[tuple[str, str, Any]]:
    """The patches as (place below the schema, kind, value)."""
    document = Document({"schema": theirs, "components": {"schemas": components or {}}})
    found = Comparison(document, definitions or {}).patches(mine, Node("/schema", theirs), "payload")
    return [(p.at.removeprefix("/schema"), p.kind, p.value) for p in found]


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        (TEXT, TEXT),
        (TEXT, {}),
        ({}, TEXT),
        ({"type": "integer"}, {"type": "number"}),
        ({"type": "integer"}, {"type": "integer", "minimum": 3}),
        ({"type": "string", "enum": ["a"]}, TEXT),
        (TEXT, {"anyOf": [{"type": "string", "enum": ["a"]}, TEXT]}),
        ({"type": "string", "enum": ["a", "b"]}, {"anyOf": [{"enum": ["a"]}, {"enum": ["b"]}]}),
        ({"type": ["string", "null"]}, {"type": "string", "nullable": True}),
        ({"type": ["string", "null"]}, {"oneOf": [TEXT, NULL]}),
        ({"type": "object"}, {"type": "object", "properties": {"a": TEXT}, "required": ["a"]}),
    ],
)
def test_what_the_document_takes_needs_no_patch(mine: Any, theirs: Any) -> None:
    assert patches(mine, theirs) == []


@pytest.mark.parametrize(
    ("mine", "theirs", "patch"),
    [
        ({"type": "string", "enum": ["a", "b"]}, {"enum": ["a"]}, ("", "enum", ["b"])),
        (TEXT, {"type": "string", "enum": ["a"]}, ("", "open", True)),
        ({"type": ["string", "null"]}, TEXT, ("", "nullable", True)),
        ({"type": "number"}, {"type": "integer"}, ("", "type", [{"type": "number"}])),
        ({"type": "boolean"}, TEXT, ("", "type", [{"type": "boolean"}])),
        (
            {"type": "array", "items": {"type": "string", "enum": ["b"]}},
            {"type": "array", "items": {"type": "string", "enum": ["a"]}},
            ("/items", "enum", ["b"]),
        ),
        (tagged("c"), {"anyOf": [tagged("a"), tagged("b")]}, ("", "anyOf", [tagged("c")])),
        (tagged("b", new=TEXT), {"oneOf": [tagged("a"), tagged("b")]}, ("/oneOf/1", "properties", {"new": TEXT})),
    ],
)
def test_what_the_document_refuses_is_patched_where_it_stands(mine: Any, theirs: Any, patch: Any) -> None:
    assert patches(mine, theirs) == [patch]


def test_an_unknown_field_joins_the_inline_part_of_an_all_of() -> None:
    theirs = {"allOf": [ref("Base"), {"type": "object", "properties": {"b": TEXT}, "required": ["b"]}]}
    mine = {"type": "object", "properties": {"a": TEXT, "b": TEXT, "c": TEXT}}
    base = {"Base": {"type": "object", "properties": {"a": TEXT}}}
    assert patches(mine, theirs, components=base) == [
        ("/allOf/1", "properties", {"c": TEXT}),
        ("/allOf/1", "optional", ["b"]),
    ]


def test_a_choice_of_required_fields_is_opened_when_the_sdk_leaves_them_all_out() -> None:
    theirs = {"properties": {"a": TEXT, "b": TEXT}, "oneOf": [{"required": ["a"]}, {"required": ["b"]}]}
    mine = {"type": "object", "properties": {"a": TEXT, "b": TEXT}}
    assert patches(mine, theirs) == [("/oneOf/0", "optional", ["a"])]
    assert patches({**mine, "required": ["b"]}, theirs) == []


def test_every_part_that_describes_a_field_must_take_it() -> None:
    theirs = {"allOf": [{"properties": {"a": {"type": ["string", "null"]}}}, {"properties": {"a": TEXT}}]}
    mine = {"type": "object", "properties": {"a": {"type": ["string", "null"]}}}
    assert patches(mine, theirs) == [("/allOf/1/properties/a", "nullable", True)]


def test_a_patch_behind_a_reference_stands_at_the_definition() -> None:
    components = {"Mode": {"type": "string", "enum": ["a"]}}
    mine = {"type": "object", "properties": {"mode": {"type": "string", "enum": ["a", "b"]}}}
    theirs = {"type": "object", "properties": {"mode": ref("Mode")}}
    assert patches(mine, theirs, components=components) == [("/components/schemas/Mode", "enum", ["b"])]


def test_recursive_definitions_end() -> None:
    mine = {"Tree": {"type": "object", "properties": {"kids": {"type": "array", "items": ref("Tree")}, "new": TEXT}}}
    theirs = {"Tree": {"type": "object", "properties": {"kids": {"type": "array", "items": ref("Tree")}}}}
    document = Document({"components": {"schemas": theirs}})
    found = Comparison(document, mine).patches(ref("Tree"), Node("/components/schemas/Tree", theirs["Tree"]), "payload")
    assert {(p.at, p.kind) for p in found} == {("/components/schemas/Tree", "properties")}
    assert all(p.value == {"new": TEXT} for p in found)


def test_the_branch_with_the_same_tag_is_meant_whatever_it_costs() -> None:
    other = {"type": "object", "properties": {"id": TEXT}}
    mine = tagged("a", id=TEXT, one=TEXT, two=TEXT)
    assert patches(mine, {"anyOf": [other, tagged("a", id=TEXT)]}) == [
        ("/anyOf/1", "properties", {"one": TEXT}),
        ("/anyOf/1", "properties", {"two": TEXT}),
    ]
