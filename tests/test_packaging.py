"""The wheel: one top-level name, its declarations inside, and a command that runs in a clean environment."""

from __future__ import annotations

import subprocess
import tomllib
import zipfile
from pathlib import Path

import pytest

import connector
from tests.installed import ROOT, build_wheel, clean_environment

VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(ROOT, tmp_path_factory.mktemp("dist"))


def test_connector_is_the_only_top_level_name(wheel: Path) -> None:
    names = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {name for name in names if not name.endswith(".dist-info")} == {"connector"}


def test_declarations_are_inside_and_hold_no_python(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    declared = [name for name in names if name.startswith(("connector/entities/", "connector/transformers/"))]
    assert "connector/entities/index.json" in declared
    assert not [name for name in declared if name.endswith(".py")]
    assert "connector/py.typed" in names


def test_the_installed_command_runs_in_a_clean_environment(wheel: Path, tmp_path: Path) -> None:
    """The dependencies are lent by the development environment; the connector itself must come from the wheel."""
    tools = clean_environment(tmp_path / "env", wheel)
    words = [str(tools / "python"), "-c", "import connector; print(connector.__file__, connector.__version__)"]
    file, version = subprocess.check_output(words, cwd=tmp_path, text=True).split()
    assert file.startswith(str(tmp_path / "env"))
    assert version == VERSION
    words = [str(tools / "openai-connector"), "entities", "list", "--area", "files"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert '"path":"/files/{file_id}/content"' in done.stdout


def test_the_version_is_written_down_once() -> None:
    """In pyproject.toml; everything else asks for it."""
    assert connector.__version__ == VERSION
    found = [path for path in (ROOT / "connector").rglob("*.py") if f'"{VERSION}"' in path.read_text(encoding="utf-8")]
    assert not found


def test_the_newest_section_of_the_changelog_is_of_this_version() -> None:
    """`## VERSION (unreleased)`, or `## VERSION (YYYY-MM-DD)` once it is out."""
    lines = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines()
    assert next(line for line in lines if line.startswith("## ")).split()[1] == VERSION
