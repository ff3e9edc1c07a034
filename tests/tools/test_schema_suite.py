"""The runner of the JSON-Schema-Test-Suite tells right from wrong; the suite itself is not part of the project."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tools.schema_suite import main


def suite(folder: Path, name: str, schema: Any, *cases: tuple[Any, bool]) -> None:
    """Add a file of cases to a suite."""
    file = folder / "tests/draft2020-12" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    tests = [
        {"description": f"case {number}", "data": data, "valid": valid} for number, (data, valid) in enumerate(cases)
    ]
    file.write_text(json.dumps([{"description": name, "schema": schema, "tests": tests}]))


def test_every_case_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    suite(tmp_path, "type.json", {"type": "string"}, ("x", True), (1, False))
    suite(tmp_path, "remote.json", {"$ref": "http://localhost:1234/x.json"}, ("x", True))
    suite(tmp_path, "optional/format/email.json", {"format": "email"}, ("x", False))
    suite(tmp_path, "optional/other.json", {"format": "email"}, ("x", False))
    assert main([str(tmp_path)]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out == [
        "optional: optional/other.json: optional/other.json: case 0: let through",
        "format: 1 right",
        "optional: 1 let through",
        "required: 1 remote",
        "required: 2 right",
    ]


@pytest.mark.parametrize(("schema", "case"), [({"type": "string"}, ("x", False)), ({"type": "strng"}, ("x", True))])
def test_a_required_case_with_another_verdict_fails(tmp_path: Path, schema: Any, case: tuple[Any, bool]) -> None:
    suite(tmp_path, "type.json", {"type": "string"}, ("x", True))
    suite(tmp_path, "wrong.json", schema, case)
    assert main([str(tmp_path)]) == 1


def test_an_empty_folder_is_no_success(tmp_path: Path) -> None:
    assert main([str(tmp_path)]) == 1
