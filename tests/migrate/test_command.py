"""`import` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from connector.cli.imports import imports
from tests.migrate.kit import exported


def test_alumio(tmp_path: Path) -> None:
    (tmp_path / "e.ndjson").write_text(json.dumps(exported("storage", "attic", [])))
    ran = CliRunner().invoke(imports, ["alumio", str(tmp_path / "e.ndjson"), "--into", str(tmp_path / "out")])
    assert ran.exit_code == 0, ran.output
    assert json.loads(ran.stdout)["objects"] == {"storage": {"done": 1, "total": 1}}
    assert "1 of 1 objects imported" in ran.stderr
    assert (tmp_path / "out" / "storages" / "attic.yaml").exists()


def test_atlas(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("kind: HTTP\nmetadata: {name: x}\nspec: {baseUrl: 'https://x.test'}\n")
    ran = CliRunner().invoke(imports, ["atlas", str(tmp_path / "a.yml"), "--into", str(tmp_path / "out"), "--json"])
    assert ran.exit_code == 0, ran.output
    assert json.loads(ran.stdout)["files"] == ["clients/x.yaml"]
