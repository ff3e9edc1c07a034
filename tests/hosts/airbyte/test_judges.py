"""Judges that are not ours: Airbyte's suite for sources and PyAirbyte, also of sources with a mistake."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.hosts.airbyte.judges.running import program, suite, tell_story
from tests.hosts.airbyte.mutants import MUTANTS, miscounts
from tests.hosts.airbyte.rig import KEYS, empty_streams
from tests.hosts.judges import needed_judge, python_of


@pytest.fixture(scope="module")
def config(api: str) -> dict[str, Any]:
    return {**KEYS, "base_uri": api}


def test_the_suite_of_sources_finds_what_it_asks_for(tmp_path: Path, config: dict[str, Any]) -> None:
    needed_judge(python_of("airbyte"))
    results = suite(tmp_path, config, empty_streams(tmp_path, config))
    assert len(results) == 7
    assert set(results.values()) == {"PASSED"}, (tmp_path / "source-openai" / "said.txt").read_text()[-3000:]


def test_pyairbyte_reads_into_its_cache_and_reads_on(tmp_path: Path, config: dict[str, Any]) -> None:
    needed_judge(python_of("airbyte"))
    told = tell_story(tmp_path, config)
    assert "error" not in told, told
    assert [len(told["rows"][name]) for name in ("files", "vector_store_files")] == [3, 1]
    assert len({*told["rows"]["costs"]}) == len(told["rows"]["costs"]) > 30
    assert told["counts"][1] < told["counts"][0]


def test_our_own_account_finds_rows_that_are_lost_doubled_or_not_covered(
    tmp_path: Path, config: dict[str, Any]
) -> None:
    assert miscounts(tmp_path / "none", config, program()) == []
    for name in ("drops rows", "states too early"):
        assert name in MUTANTS
        assert miscounts(tmp_path / name, config, program(name)) != []
