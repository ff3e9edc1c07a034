"""The committed overlay is what the SDK says; a release that cannot be read is refused by name."""

from __future__ import annotations

import io
import json
import os
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from ruamel.yaml import YAML

from connector.catalogue.importer.document import read_document
from connector.catalogue.importer.sdk.facts import SdkOverlays, read_overlays_of_sdk
from connector.catalogue.importer.sdk.yaml_lines import lines

ENTITIES = Path(__file__).parents[3] / "entities"
OVERLAYS = ENTITIES / "overlays"
DOCUMENT = "CONNECTOR_TEST_DOCUMENT"


@pytest.fixture(scope="module")
def overlay() -> dict[str, Any]:
    content: dict[str, Any] = YAML(typ="safe", pure=True).load((OVERLAYS / "sdk.yaml").read_text(encoding="utf-8"))
    return content


@pytest.fixture(scope="module")
def read() -> SdkOverlays:
    pytest.importorskip("openai")
    document = os.environ.get(DOCUMENT)
    if not document:
        pytest.skip(f"the API's document is not part of the project: {DOCUMENT} names a copy of it")
    installed = Path(str(distribution("openai").locate_file("")))
    return read_overlays_of_sdk(installed, read_document(Path(document)))


def test_the_committed_overlay_is_what_the_installed_sdk_says(read: SdkOverlays) -> None:
    assert read.text() == (OVERLAYS / "sdk.yaml").read_text(encoding="utf-8")
    assert read.notes == ()


def test_names_that_are_there_stay_and_new_ones_follow(read: SdkOverlays) -> None:
    before = (OVERLAYS / "sdk-names.yaml").read_text(encoding="utf-8")
    assert read.names_text(before) == before
    shorter = "".join(line for line in before.splitlines(keepends=True) if "  batches.create:" not in line)
    assert read.names_text(shorter) == f"{shorter}  batches.create: POST /batches\n"
    assert set(before.splitlines()) >= set(read.names_text().splitlines())


def test_every_definition_compiles_and_is_used(overlay: dict[str, Any]) -> None:
    written = json.dumps(overlay)
    schemas = overlay["components"]["schemas"]
    unused = [name for name in schemas if f'"#/components/schemas/{name}"' not in written]
    assert unused == []
    everything = {"$defs": schemas, "anyOf": [{"$ref": f"#/$defs/{name}"} for name in schemas]}
    local = json.loads(json.dumps(everything).replace("#/components/schemas/", "#/$defs/"))
    assert jsonschema_rs.Draft202012Validator(local).is_valid({}) is True


def test_every_operation_has_a_name_of_its_own(overlay: dict[str, Any]) -> None:
    said = [operation for item in overlay["paths"].values() for operation in item.values()]
    names = {(operation["x-entity"], operation["x-action"]) for operation in said}
    assert len(names) == len(said) == 101


def test_every_patch_says_one_thing(overlay: dict[str, Any]) -> None:
    kinds = {"x-additions": {"properties", "enum", "anyOf", "parameters", "requestBody"}}
    kinds["x-relaxed"] = {"optional", "nullable", "open", "anyOf"}
    for part, allowed in kinds.items():
        said = [set(entry) - {"at", "operation", "location"} for entry in overlay[part]]
        assert said
        assert all(len(kind) == 1 and kind <= allowed for kind in said)


def test_yaml_reads_back_as_it_was() -> None:
    words = [
        "no",
        "on",
        "null",
        "1e3",
        "~",
        "a: b",
        "#x",
        "/p/{id}",
        "-",
        "=",
        "x-y",
        "ü",
        "a b",
        "",
        "2026-01-01",
        "@a",
    ]
    value: dict[str, Any] = {w: {"k": w, "list": [w, {"deep": [1, None, True, w * 90]}]} for w in words}
    text = "\n".join(lines(value))
    assert YAML(typ="safe", pure=True).load(io.StringIO(text)) == value
