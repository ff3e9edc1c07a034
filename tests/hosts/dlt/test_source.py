"""The source in dlt's own pipeline into DuckDB: whole, read on, killed, and with mistakes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hosts.airbyte.rig import KEYS
from tests.hosts.dlt.rig import Sandbox, run, sandboxed

pytestmark = pytest.mark.long

FILES, SHELVED = "files", "vector_store_files"


@pytest.fixture
def api() -> Iterator[Sandbox]:
    with sandboxed() as found:
        yield found


def _read(folder: Path, api: Sandbox, *resources: str, plan: dict[str, Any] | None = None, **asked: Any) -> Any:
    """What a pipeline has in DuckDB."""
    source = {"api_key": KEYS["api_key"], "base_uri": api.url, **asked.pop("source", {})}
    ended = run(folder, "read.py", plan, source=source, resources=resources or (FILES, SHELVED), **asked)
    assert ended.code == 0, ended.said[-3000:]
    return ended.told


def _plain(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The values of rows that are in one column, in order."""
    kinds = (str, int, float, bool)
    kept = [{name: one for name, one in row.items() if isinstance(one, kinds) and "__" not in name} for row in rows]
    return sorted(kept, key=lambda row: str(row["id"]))


def test_what_is_in_duckdb_is_what_the_api_has_and_a_second_run_reads_on(tmp_path: Path, api: Sandbox) -> None:
    admin = {"admin_api_key": KEYS["admin_api_key"]}
    first = _read(tmp_path, api, FILES, SHELVED, "models", "costs", source=admin)
    assert _plain(first["tables"][FILES]) == _plain(api.list("/files"))
    assert _plain(first["tables"]["models"]) == _plain(api.list("/models"))
    assert len(first["tables"][SHELVED]) == 1
    assert len({row["id"] for row in first["tables"]["costs"]}) == len(first["tables"]["costs"]) > 100
    assert first["keys"] == {FILES: ["id"], SHELVED: ["id", "vector_store_id"], "models": ["id"], "costs": ["id"]}
    assert first["dispositions"] == {FILES: "merge", SHELVED: "merge", "models": "replace", "costs": "merge"}
    newest = max(one["created_at"] for one in api.list("/files"))
    assert first["state"][FILES] == {"position": {"cursor": newest}}

    api.add_files(2)
    api.add_to_store()
    second = _read(tmp_path, api, FILES, SHELVED, "models", "costs", source=admin)
    assert _plain(second["tables"][FILES]) == _plain(api.list("/files"))
    assert len(second["tables"][SHELVED]) == 2
    assert len(second["tables"]["models"]) == len(first["tables"]["models"])
    assert {row["id"] for row in first["tables"]["costs"]} <= {row["id"] for row in second["tables"]["costs"]}
    assert second["given"]["costs"] < first["given"]["costs"] / 2
