"""The programs of the guide, as they stand there."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.examples import blocks
from tests.hosts.airbyte.rig import KEYS
from tests.hosts.dlt.rig import QUIET, Sandbox, sandboxed
from tests.hosts.judges import ROOT, needed_judge, python_of, variables

pytestmark = pytest.mark.long

PAGE = ROOT / "docs" / "guides" / "hosts" / "dlt.md"


@pytest.fixture(scope="module")
def api() -> Iterator[Sandbox]:
    with sandboxed() as found:
        yield found


def _run(folder: Path, program: str, **more: str) -> str:
    """What a program of the page prints, beside its files."""
    for block in blocks(PAGE):
        if block.title:
            (folder / block.title).write_text(block.text)
    place = {"PYTHONPATH": str(ROOT), "HOME": str(folder), "DLT_DATA_DIR": str(folder / "dlt"), **QUIET}
    done = subprocess.run(
        [str(needed_judge(python_of("dlt"))), program],
        cwd=folder, env=variables(**place, **more),
        capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_the_api_is_read_with_keys_from_dlts_own_places(tmp_path: Path, api: Sandbox) -> None:
    keys = {"SOURCES__OPENAI__API_KEY": KEYS["api_key"], "SOURCES__OPENAI__BASE_URI": api.url}
    said = _run(tmp_path, "load.py", **keys)
    assert "1 load package(s) were loaded to destination duckdb" in said
    assert (tmp_path / "openai_files.duckdb").is_file()


def test_a_row_that_does_not_change_is_greeted_once(tmp_path: Path, api: Sandbox) -> None:
    place = {"OPENAI_API_KEY": "sk-example", "OPENAI_BASE_URL": api.url}
    for _ in range(2):
        assert "LOADED and contains no failed jobs" in _run(tmp_path, "greet.py", **place)
    [line] = (tmp_path / "greetings.jsonl").read_text().splitlines()
    assert "text" in json.loads(line)
