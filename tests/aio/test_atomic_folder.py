"""A folder is replaced whole or not at all, also by a process that is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from connector.aio import atomic_folder
from connector.aio.atomic_folder import replace_folder, restore_folder, stage_folder

KILLED = """
import os, signal, sys
from pathlib import Path
from connector.aio import atomic_folder
place, path = sys.argv[1], Path(sys.argv[2])
def die(*_, **__): os.kill(os.getpid(), signal.SIGKILL)
rename = Path.rename
def renaming(self, target):
    result = rename(self, target)
    if place == "aside" and str(target).endswith(".before"): die()
    return result
Path.rename = renaming
if place != "exchange": atomic_folder._exchange = lambda *_: False
with atomic_folder.stage_folder(path) as staged:
    (staged / "a").write_text("new")
    if place == "staged": die()
    if place == "synced": atomic_folder.sync_path = die
    if place == "removing": atomic_folder.shutil.rmtree = lambda path, **_: die() if staged.exists() is False else None
    if place == "exchange": atomic_folder.shutil.rmtree = die
    atomic_folder.replace_folder(staged, path)
die()
"""


def texts(folder: Path) -> dict[str, str]:
    return {each.name: each.read_text() for each in folder.iterdir()}


@pytest.fixture(params=[True, False], ids=["exchanged", "renamed"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    if not request.param:
        monkeypatch.setattr(atomic_folder, "_exchange", lambda *_: False)
    path = tmp_path / "things"
    path.mkdir()
    (path / "a").write_text("old")
    (path / "mine").write_text("kept")
    return path


def test_a_folder_is_replaced_and_keeps_what_was_not_touched(folder: Path) -> None:
    with stage_folder(folder) as staged:
        (staged / "a").write_text("new")
        assert texts(folder)["a"] == "old"
        replace_folder(staged, folder)
    assert texts(folder) == {"a": "new", "mine": "kept"}
    assert [each.name for each in folder.parent.iterdir()] == ["things"]


def test_a_folder_that_is_not_there_is_made(tmp_path: Path) -> None:
    with stage_folder(tmp_path / "deep" / "things") as staged:
        (staged / "a").write_text("new")
        replace_folder(staged, tmp_path / "deep" / "things")
    assert texts(tmp_path / "deep" / "things") == {"a": "new"}


def fail_midway(folder: Path) -> None:
    with stage_folder(folder) as staged:
        (staged / "a").write_text("new")
        raise RuntimeError


def test_an_error_leaves_what_was_there_and_nothing_beside_it(folder: Path) -> None:
    with pytest.raises(RuntimeError):
        fail_midway(folder)
    assert texts(folder) == {"a": "old", "mine": "kept"}
    assert [each.name for each in folder.parent.iterdir()] == ["things"]


@pytest.mark.parametrize("place", ["staged", "synced", "aside", "removing", "exchange"])
def test_a_killed_process_leaves_the_old_folder_or_the_new_one(place: str, tmp_path: Path) -> None:
    path = tmp_path / "things"
    path.mkdir()
    (path / "a").write_text("old")
    ended = subprocess.run([sys.executable, "-c", KILLED, place, str(path)], check=False)
    assert ended.returncode == -signal.SIGKILL
    restore_folder(path)
    assert texts(path) == {"a": "new" if place in ("removing", "exchange") else "old"}
    with stage_folder(path) as staged:
        (staged / "a").write_text("newer")
        replace_folder(staged, path)
    assert texts(path) == {"a": "newer"}
