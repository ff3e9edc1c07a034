"""The committed overlay is what the SDK says today."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from ruamel.yaml import YAML

from tools.sdk.facts import OVERLAY, compared, main, read
from tools.sdk.yaml_lines import lines


@pytest.fixture(scope="module")
def overlay() -> dict[str, Any]:
    return read(OVERLAY)


def test_the_committed_overlay_is_what_the_sdk_says() -> None:
    pytest.importorskip("openai")
    assert main(["--check"]) == 0


def test_writing_needs_a_document(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([])
    assert "--document is needed" in capsys.readouterr().err


def test_a_difference_is_shown_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "sdk.yaml"
    path.write_text("a: 1\nb: 2\n")
    assert compared(path, "a: 1\nb: 2\n") == 0
    assert compared(path, "a: 1\nb: 3\n") == 1
    assert "sdk.yaml:2: found 'b: 2'; the SDK says 'b: 3'" in capsys.readouterr().err


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
