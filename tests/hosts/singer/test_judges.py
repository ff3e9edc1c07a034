"""Judges that are not ours: the Singer SDK's suites for taps and targets, and what arrived of what they sent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.hosts.airbyte.rig import KEYS
from tests.hosts.judges import needed_judge, python_of
from tests.hosts.rows import arrived_rows, row_config
from tests.hosts.singer.judges.running import STREAMS, program, suite
from tests.hosts.singer.mutants import find_in_tap, find_in_target
from tests.hosts.singer.rig import run

WHOLE = "row of singer: "


@pytest.mark.long
def test_the_sdks_suites_pass_and_every_row_arrives_once(tmp_path: Path, api: str, bare_api: str) -> None:
    needed_judge(python_of("singer"))
    target = row_config(bare_api, tmp_path, WHOLE)
    judged = suite(tmp_path, {**KEYS, "base_uri": api}, target)
    assert set(judged.results.values()) == {"PASSED"}, judged.said[-3000:]
    targets = [name for name in judged.results if name.startswith("test_target_")]
    assert len(targets) == 18
    assert len(judged.results) > 150
    assert {f"test_tap_stream_returns_record[{name}]" for name in STREAMS} <= judged.results.keys()

    for given, said in judged.exchanges:
        states = [one["value"] for one in map(json.loads, given.splitlines()) if one["type"] == "STATE"]
        assert said is None or [json.loads(line) for line in said.splitlines()] == states
    assert len([said for _, said in judged.exchanges if said is None]) == 3
    assert judged.rows == arrived_rows(bare_api, WHOLE)

    again = "".join(given for given, said in judged.exchanges if said is not None)
    assert run(tmp_path, "target", given=again, config=target).code == 0
    assert judged.rows == arrived_rows(bare_api, WHOLE)


def test_our_own_account_finds_what_the_suites_do_not(tmp_path: Path, api: str, bare_api: str) -> None:
    tap = {**KEYS, "base_uri": api}
    assert find_in_tap(tmp_path, tap, program()) == []
    assert find_in_tap(tmp_path, tap, program("drops records")) != []
    for name in ("", "discards everything"):
        folder = tmp_path / (name or "none")
        folder.mkdir()
        found = find_in_target(folder, row_config(bare_api, folder), bare_api, program(name))
        assert bool(found) == bool(name), found
