"""A folder with a small catalogue."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connector.catalogue.importer import import_document
from tests.catalogue.small_sdk import DOCUMENT, wheel


@pytest.fixture
def cats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a small catalogue in `entities`, and a small SDK in `new.whl`."""
    monkeypatch.chdir(tmp_path)
    overlays = tmp_path / "entities" / "overlays"
    overlays.mkdir(parents=True)
    (overlays / "own.yaml").write_text("operations:\n  POST /cats: {effect: idempotent}\n")
    models = tmp_path / "entities" / "models"
    models.mkdir()
    (models / "registry.yaml").write_text("as_of: 2026-01-01\nmodels:\n  gpt-8-cat: {kind: text}\n")
    (models / "overlay.yaml").write_text("as_of: 2026-01-01\n")
    (tmp_path / "cats.json").write_text(json.dumps(DOCUMENT))
    import_document(tmp_path / "cats.json", tmp_path / "entities")
    wheel(tmp_path / "new.whl")
    return tmp_path
