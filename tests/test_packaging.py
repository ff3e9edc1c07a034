"""The wheel: one top-level name, its declarations inside, and a command that runs in a clean environment."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    words = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


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
    venv.create(tmp_path / "env", with_pip=False)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site = tmp_path / "env" / "lib" / version / "site-packages"
    words = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--target",
        str(site),
        str(wheel),
    ]
    subprocess.run(words, check=True, capture_output=True)
    (site / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"], encoding="utf-8")
    python = str(tmp_path / "env" / "bin" / "python")
    words = [python, "-c", "import connector; print(connector.__file__)"]
    assert subprocess.check_output(words, cwd=tmp_path, text=True).startswith(str(site))
    words = [python, "-m", "connector", "entities", "list", "--area", "files"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert '"path":"/files/{file_id}/content"' in done.stdout
