"""Wheels of this checkout, installed where nothing else of it is."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

__all__ = ["ROOT", "build_wheel", "clean_environment"]

ROOT = Path(__file__).parents[1]


def build_wheel(source: Path, folder: Path) -> Path:
    """Return the wheel that hatchling makes of a project."""
    words = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(words, cwd=source, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def clean_environment(folder: Path, *wheels: Path) -> Path:
    """Return the `bin` of an environment with these wheels; this one lends it what they depend on."""
    venv.create(folder, with_pip=False)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site = folder / "lib" / version / "site-packages"
    words = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install", "--quiet"]
    subprocess.run([*words, "--no-deps", "--no-index", *map(str, wheels)], check=True, capture_output=True)
    (site / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"], encoding="utf-8")
    return folder / "bin"
