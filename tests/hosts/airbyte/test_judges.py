"""Judges that are not ours: Airbyte's suite for sources, PyAirbyte and its smoke test of destinations."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.hosts.airbyte.judges.running import program, suite, tell_stories
from tests.hosts.airbyte.mutants import find_in_destination, miscounts
from tests.hosts.airbyte.rig import KEYS, empty_streams
from tests.hosts.judges import needed_judge, python_of
from tests.hosts.rows import arrived_rows, row_config, write_row

WHOLE = "row of airbyte: "


@pytest.fixture(scope="module")
def config(api: str) -> dict[str, Any]:
    return {**KEYS, "base_uri": api}


def test_the_suite_of_sources_finds_what_it_asks_for(tmp_path: Path, config: dict[str, Any]) -> None:
    needed_judge(python_of("airbyte"))
    results = suite(tmp_path, config, empty_streams(tmp_path, config))
    assert len(results) == 7
    assert set(results.values()) == {"PASSED"}, (tmp_path / "source-openai" / "said.txt").read_text()[-3000:]


@pytest.mark.long
def test_pyairbyte_reads_writes_and_syncs(tmp_path: Path, config: dict[str, Any], bare_api: str) -> None:
    needed_judge(python_of("airbyte"))
    rows = row_config(bare_api, tmp_path, WHOLE)
    told = tell_stories(tmp_path, source=(program("source"), config), destination=(program("destination"), rows))
    assert "error" not in told, told

    assert [len(told["rows"][name]) for name in ("files", "vector_store_files")] == [3, 1]
    assert len({*told["rows"]["costs"]}) == len(told["rows"]["costs"]) > 30
    assert told["counts"][1] < told["counts"][0]

    smoke = told["smoke"]
    assert smoke["success"], smoke["error"]
    sent = {(name, write_row(row)) for name, row in smoke["sent"]}
    assert len(smoke["sent"]) > len(sent) > 50
    found = arrived_rows(bare_api, WHOLE)
    files = {row: times for row, times in found.items() if json.loads(row).get("object") == "file"}
    assert told["synced"] == [3, 3]
    assert list(files.values()) == [1, 1, 1]
    assert Counter(row for _, row in sent) == {row: times for row, times in found.items() if row not in files}


def test_our_own_account_finds_rows_that_are_lost_doubled_or_not_covered(
    tmp_path: Path, config: dict[str, Any], bare_api: str
) -> None:
    assert miscounts(tmp_path / "none", config, program("source")) == []
    for name in ("drops rows", "states too early"):
        assert miscounts(tmp_path / name, config, program("source", name)) != []
    for name in ("", "discards everything"):
        folder = tmp_path / f"destination {name}"
        found = find_in_destination(folder, row_config(bare_api, tmp_path), bare_api, program("destination", name))
        assert bool(found) == bool(name), found
