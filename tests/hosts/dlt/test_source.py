"""The source in dlt's own pipeline into DuckDB: whole, read on, killed, and with mistakes."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from random import Random
from threading import Timer
from typing import Any

import pytest

from tests.hosts.airbyte.rig import KEYS
from tests.hosts.dlt.judges.mistakes import SOURCES
from tests.hosts.dlt.judges.names import POINTS
from tests.hosts.dlt.mutants import miscounts
from tests.hosts.dlt.rig import Judge, Sandbox, sandboxed

pytestmark = pytest.mark.long

FILES, SHELVED, STORES = "files", "vector_store_files", "vector_stores"


@pytest.fixture
def api() -> Iterator[Sandbox]:
    with sandboxed() as found:
        yield found


def _read(judge: Judge, folder: Path, api: Sandbox, *resources: str, **asked: Any) -> Any:
    """What a pipeline has in DuckDB."""
    source = {"api_key": KEYS["api_key"], "base_uri": api.url, **asked.pop("source", {})}
    ended = judge.run(folder, "read.py", source=source, resources=resources or (FILES, SHELVED), **asked)
    assert ended.code == 0, ended.said[-3000:]
    return ended.told


def _plain(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The values of rows that are in one column, in order."""
    kinds = (str, int, float, bool)
    kept = [{name: one for name, one in row.items() if isinstance(one, kinds) and "__" not in name} for row in rows]
    return sorted(kept, key=lambda row: str(row["id"]))


def test_duckdb_has_what_the_api_has_and_a_second_run_reads_on(judge: Judge, tmp_path: Path, api: Sandbox) -> None:
    admin = {"admin_api_key": KEYS["admin_api_key"]}
    first = _read(judge, tmp_path, api, FILES, SHELVED, "models", "costs", source=admin)
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
    second = _read(judge, tmp_path, api, FILES, SHELVED, "models", "costs", source=admin)
    assert _plain(second["tables"][FILES]) == _plain(api.list("/files"))
    assert len(second["tables"][SHELVED]) == 2
    assert len(second["tables"]["models"]) == len(first["tables"]["models"])
    assert {row["id"] for row in first["tables"]["costs"]} <= {row["id"] for row in second["tables"]["costs"]}
    assert second["given"]["costs"] < first["given"]["costs"] / 2


def test_a_pipeline_that_is_killed_has_every_row_once_in_the_end(judge: Judge, tmp_path: Path, api: Sandbox) -> None:
    points = [*POINTS[::3], "wire.headers", ""]
    kills = 0
    for point in points:
        api.add_files(2)
        api.add_to_store()
        kills += _killed(judge, tmp_path, api, point)
    assert kills >= len(points) - 2
    told = _read(judge, tmp_path, api, pending=True)
    assert _plain(told["tables"][FILES]) == _plain(api.list("/files"))
    assert len(told["tables"][FILES]) == 3 + 2 * len(points)
    [store] = api.list("/vector_stores")
    shelved = api.list(f"/vector_stores/{store['id']}/files")
    assert sorted(row["id"] for row in told["tables"][SHELVED]) == sorted(one["id"] for one in shelved)


def _killed(judge: Judge, folder: Path, api: Sandbox, point: str) -> bool:
    """Run a pipeline that is killed at a point, or a while after it has begun; whether it was."""
    asked = {
        "source": {"api_key": KEYS["api_key"], "base_uri": api.url}, "resources": [FILES, SHELVED], "pending": True,
        "point": point,
    }  # fmt: skip
    is_ours = bool(point) and not point.startswith("dlt.")
    run = judge.begin(folder, "read.py", asked, {"point": point, "nth": 2, "signal": "KILL"} if is_ours else None)
    if not point:
        Timer(Random(len(folder.name)).uniform(0.1, 2.0), run.send, (signal.SIGKILL,)).start()
    code = run.wait()
    assert code in (0, -signal.SIGKILL), run.said[-3000:]
    return code != 0


def test_dlts_own_ways_to_begin_anew_and_to_read_a_part(judge: Judge, tmp_path: Path, api: Sandbox) -> None:
    api.add_files(1)
    everything = _plain(api.list("/files"))
    times = sorted({one["created_at"] for one in everything})
    assert _read(judge, tmp_path, api, FILES)["given"][FILES] == 4
    no_lookback = {"lookback_days": 0}
    read_on = _read(judge, tmp_path, api, FILES, source=no_lookback)["given"][FILES]
    assert read_on == sum(one["created_at"] == times[-1] for one in everything)
    for how in ({"write_disposition": "replace"}, {"refresh": "drop_data"}):
        told = _read(judge, tmp_path, api, FILES, source=no_lookback, run=how)
        assert _plain(told["tables"][FILES]) == everything
        assert told["given"][FILES] == 4

    span = {"cursor_path": "created_at", "initial_value": times[0], "end_value": times[-1] + 1}
    (tmp_path / "span").mkdir()
    told = _read(judge, tmp_path / "span", api, FILES, incremental=span, parallel=True)
    assert _plain(told["tables"][FILES]) == everything
    assert told["state"][FILES]["position"] == {"cursor": times[-1]}
    (tmp_path / "none").mkdir()
    before = {**span, "initial_value": times[0] - 10, "end_value": times[0]}
    assert _read(judge, tmp_path / "none", api, FILES, incremental=before)["given"].get(FILES, 0) == 0


def test_a_limited_run_goes_on_where_it_stopped(judge: Judge, tmp_path: Path, api: Sandbox) -> None:
    api.add_stores(220)
    counts = [len(_read(judge, tmp_path, api, STORES, limit=3)["tables"][STORES]) for _ in range(2)]
    assert counts[0] < counts[1] < 221
    told = _read(judge, tmp_path, api, STORES)
    assert _plain(told["tables"][STORES]) == _plain(api.list("/vector_stores"))


def test_what_cannot_be_read_says_why_and_shows_no_key(judge: Judge, tmp_path: Path, api: Sandbox) -> None:
    for source, why in {
        "": "give api_key, admin_api_key, or both",
        "sk-canary-0123456789": "files: not sent",
    }.items():
        keys = {"api_key": source} if source else {}
        asked = {"source": {**keys, "base_uri": "http://127.0.0.1:9/v1"}, "resources": [FILES]}
        ended = judge.run(tmp_path, "read.py", **asked)
        assert ended.code != 0
        assert why in ended.said
        assert "canary" not in ended.said


@pytest.mark.parametrize("mutant", ["", *SOURCES])
def test_mistakes_of_sources_are_found_in_duckdb(judge: Judge, tmp_path: Path, api: Sandbox, mutant: str) -> None:
    assert bool(miscounts(judge, tmp_path, api, mutant)) is bool(mutant)
