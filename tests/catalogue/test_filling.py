"""What the API fills in is asked of no caller, and what it answers with may be handed back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from connector.catalogue import Catalogue
from connector.catalogue.importer import import_document
from connector.catalogue.importer.drift import find_drift
from connector.errors import ConfigurationError

ITEM = {
    "type": "object",
    "required": ["type", "id", "text", "note", "made_at", "kind", "speed"],
    "properties": {
        "type": {"type": "string", "enum": ["item"], "default": "item"},
        "id": {"type": "string"},
        "text": {"type": "string"},
        "note": {"type": ["string", "null"]},
        "made_at": {"type": "integer", "readOnly": True},
        "kind": {"anyOf": [{"$ref": "#/components/schemas/Kind"}]},
        "speed": {"type": "integer", "default": 1},
    },
}
SCHEMAS: dict[str, Any] = {
    "Item": ITEM,
    "Kind": {"type": "string", "enum": ["a", "b"]},
    "Asked": {
        "type": "object",
        "required": ["items", "title"],
        "properties": {
            "title": {"type": ["string", "null"]},
            "items": {"type": "array", "items": {"anyOf": [{"$ref": "#/components/schemas/Item"}, {"type": "string"}]}},
            "past": {"type": "array", "items": {"$ref": "#/components/schemas/Past"}},
        },
    },
    "Past": {
        "anyOf": [
            {"type": "object", "required": ["type"], "properties": {"type": {"const": "item"}}},
            {"type": "object", "required": ["type"], "properties": {"type": {"const": "other"}}},
        ]
    },
    "Answer": {
        "type": "object",
        "properties": {"items": {"type": "array", "items": {"$ref": "#/components/schemas/Item"}}},
    },
}  # fmt: skip
OVERLAY: dict[str, Any] = {
    "x-filled": [{"of": ["Item", "Nowhere"], "names": ["id"]}],
    "x-handed-back": [{"as": "Past", "from": ["Item"]}, {"as": "Elsewhere", "from": ["Item"]}],
}


def made(folder: Path, overlay: dict[str, Any] | None = None, schemas: dict[str, Any] | None = None) -> str:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Asked"}}}
    answer = {"application/json": {"schema": {"$ref": "#/components/schemas/Answer"}}}
    operation = {"operationId": "make", "requestBody": {"content": content}, "responses": {"200": {"content": answer}}}
    document = {"openapi": "3.1.0", "info": {}, "paths": {"/things": {"post": operation}}}
    folder.mkdir(exist_ok=True)
    (folder / "overlays").mkdir(exist_ok=True)
    (folder / "document.json").write_text(json.dumps({**document, "components": {"schemas": schemas or SCHEMAS}}))
    with (folder / "overlays" / "own.yaml").open("w") as file:
        YAML().dump(overlay if overlay is not None else OVERLAY, file)
    return str(import_document(folder / "document.json", folder / "out", folder / "overlays"))


def definitions(folder: Path) -> dict[str, Any]:
    return Catalogue.open(folder / "out").definitions()


def test_a_request_is_asked_for_no_more_than_it_must_give(tmp_path: Path) -> None:
    made(tmp_path)
    found = definitions(tmp_path)
    assert found["Item"]["required"] == ["type", "text", "kind"]
    assert found["Item"]["x-filled"] == ["id", "note", "made_at", "speed"]
    assert found["Asked"]["required"] == ["items", "title"], "what only requests hold may be null and must be said"


def test_without_overlays_the_rules_hold_alone(tmp_path: Path) -> None:
    made(tmp_path, {})
    assert definitions(tmp_path)["Item"]["required"] == ["type", "id", "text", "kind"]


def test_an_answer_still_always_holds_what_is_filled_in(tmp_path: Path) -> None:
    made(tmp_path)
    catalogue = Catalogue.open(tmp_path / "out")
    operation = catalogue.find("POST /things")
    schema = catalogue.answer_schema(operation)
    assert schema is not None
    assert set(schema["$defs"]["Item"]["required"]) == set(ITEM["required"])
    asked = catalogue.payload_schema(operation)
    assert asked is not None
    assert asked["$defs"]["Item"]["required"] == ["type", "text", "kind"]


def test_what_is_handed_back_may_hold_what_the_answer_held(tmp_path: Path) -> None:
    made(tmp_path)
    same, other = definitions(tmp_path)["Past"]["anyOf"]
    assert set(same["properties"]) == set(ITEM["properties"])
    assert same["required"] == ["type"]
    assert set(other["properties"]) == {"type"}


def test_overlays_that_fit_nothing_are_noted(tmp_path: Path) -> None:
    assert made(tmp_path).split("\n")[1:] == [
        "note: overlays/own.yaml: x-handed-back: no definition is Elsewhere",
        "note: overlays/own.yaml: x-filled: no definition is Nowhere",
    ]


@pytest.mark.parametrize("overlay", [{"x-filled": [{"names": ["id"]}]}, {"x-handed-back": [{"as": "Past"}]}])
def test_an_entry_that_says_too_little_is_refused(overlay: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        made(tmp_path, overlay)


def test_drift_tells_what_is_asked_for_anew(tmp_path: Path) -> None:
    made(tmp_path, {})
    changed = {**SCHEMAS, "Item": {**ITEM, "required": [*ITEM["required"][:-1]]}}
    catalogue = Catalogue.open(tmp_path / "out")
    assert not find_drift(tmp_path / "document.json", catalogue)
    (tmp_path / "more").mkdir()
    made(tmp_path / "more", {}, changed)
    lines = find_drift(tmp_path / "more" / "document.json", catalogue).lines()
    assert [" ".join(line.split()) for line in lines] == ['removed filled Item: "speed"']


def test_one_of_several_lists_of_fields_may_be_asked_for(tmp_path: Path) -> None:
    said = {"at": "/components/schemas/Item", "oneOfFields": [["text", "kind"], ["note"]]}
    made(tmp_path, {"x-relaxed": [said]})
    item = definitions(tmp_path)["Item"]
    assert item["required"] == ["type", "id"]
    assert item["anyOf"] == [{"required": ["text", "kind"]}, {"required": ["note"]}]
