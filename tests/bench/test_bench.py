"""The bench runs, says what it leaves out and why, and which targets are reached; its figures are no test."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

import bench
from bench.__main__ import PARTS, main, summary
from bench.environment import APART, HOME, INSTALLED_ONLY, Unavailable, python_of
from bench.mapping import NAMES, OURS, STRICT
from bench.scale import FULL, QUICK
from bench.table import Target

FOREIGN = {
    *("bench.peers.litellm", "bench.mapping.airbyte", "bench.mapping.dlt_map", "bench.mapping.jsonata_alone"),
    *("bench.durable.celery_redis", "bench.durable.dbos_steps", "bench.durable.procrastinate_jobs"),
}
"""What is imported in the environment of a peer alone."""
HOME_OF_ALL = Path(bench.__path__[0])
MODULES = [
    ".".join(("bench", *file.relative_to(HOME_OF_ALL).with_suffix("").parts)).removesuffix(".__init__")
    for file in sorted(HOME_OF_ALL.rglob("*.py"))
]


@pytest.mark.parametrize("name", [name for name in MODULES if name not in FOREIGN])
def test_its_modules_can_be_imported(name: str) -> None:
    importlib.import_module(name)


def test_the_quick_form_measures_less_of_everything() -> None:
    assert QUICK.rounds < FULL.rounds
    assert QUICK.seconds < FULL.seconds
    assert set(QUICK.in_flight) < set(FULL.in_flight)
    assert max(QUICK.stored) < max(FULL.stored)
    assert FULL.install
    assert not QUICK.install


def test_a_part_prints_its_table_its_targets_and_who_is_left_out(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(INSTALLED_ONLY, "")
    main(["--quick", "--seconds", "0.2", "transform"])
    said = capsys.readouterr().out
    assert said.startswith("\n## transform\n")
    for way in (OURS, STRICT):
        assert f"| {NAMES[way]}" in said
    for peer in ("airbyte", "dlt_map", "jsonata_alone"):
        installed = (HOME / peer / "ready").exists()
        assert (f"({peer}): it is not installed; `make bench` without --quick installs it" in said) is not installed
    assert "| to reach" in said
    assert "targets are reached, in " in said


def test_the_end_names_the_targets_that_are_missed() -> None:
    reached, missed = Target("a", True, "1"), Target("b", False, "2")
    assert summary([("calls", reached)], 3.2) == "1 of 1 targets are reached, in 3 s."
    assert summary([("calls", reached), ("files", missed)], 3) == (
        "1 of 2 targets are reached, in 3 s; missed:\n- files: b: 2"
    )


def test_what_is_no_part_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["coffee"])
    assert f"no such part: 'coffee'; there are {', '.join(PARTS)}" in capsys.readouterr().err


def test_a_peer_without_an_environment_is_left_out_when_nothing_may_be_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(INSTALLED_ONLY, "1")
    monkeypatch.setattr("bench.environment.HOME", tmp_path / ".bench")
    for peer in APART:
        with pytest.raises(Unavailable, match="it is not installed"):
            python_of(peer)
    assert not (tmp_path / ".bench").exists()
