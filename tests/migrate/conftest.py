"""Imports of exports of our own making."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from connector.migrate import import_alumio
from tests.migrate.kit import JSON, Imported, exported, use


@pytest.fixture
def bring(tmp_path: Path) -> Callable[..., Imported]:
    """Imports objects, or raw lines, from one export."""

    def run(*objects: JSON, name: str = "export.ndjson", into: str = "out") -> Imported:
        lines = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in objects]
        export = tmp_path / name
        export.write_bytes(b"\n".join(lines))
        report = import_alumio([export], tmp_path / into)
        return Imported(tmp_path / into, report)

    return run


@pytest.fixture
def chain(bring: Callable[..., Imported]) -> Callable[..., Imported]:
    """Imports one transformer of these steps."""

    def run(*steps: JSON) -> Imported:
        return bring(exported("list-transformer", "chain", use("chain", transformers=list(steps))))

    return run
