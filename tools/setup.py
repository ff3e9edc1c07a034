"""`make setup`: installs what requirements.lock pins, and says how far it is; needs nothing but Python and pip."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

__all__ = ["main", "steps"]

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements.lock"
PIP = (sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-deps", "--no-color")
SEEN = ("Collecting ", "Requirement already satisfied: ")
EVERY = 20
"""Packages between two lines where output is no terminal."""
SHOWN = 20
"""Lines of pip's own that are shown when it fails."""


def main() -> int:
    """Installs the pinned packages, then the project itself."""
    total = sum("==" in line for line in LOCK.read_text(encoding="utf-8").splitlines())
    say(f"setup: {total} packages into {Path(sys.prefix).name}, each checked by its hash; a minute or so")
    locked = (*PIP, "--require-hashes", "--progress-bar", "off", "-r", str(LOCK))
    own = (*PIP, "--quiet", "--no-build-isolation", "--editable", str(ROOT))
    for command in (locked, own):
        failed = installed(command, total)
        if failed:
            return failed
    say(f"setup: done; to have openai-connector on this shell's path: source {Path(sys.prefix).name}/bin/activate")
    return 0


def installed(command: Iterable[str], total: int) -> int:
    """Runs pip, showing each step; its exit code, after its last lines when that is not 0."""
    said: list[str] = []
    with subprocess.Popen(list(command), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        for step in steps(kept(process.stdout, said.append), total, every=1 if sys.stdout.isatty() else EVERY):
            say(step, end="\r" if sys.stdout.isatty() else "\n")
    if process.returncode:
        say("\n".join(said[-SHOWN:]))
    return process.returncode


def kept(lines: Iterable[str], keep: Callable[[str], None]) -> Iterator[str]:
    for line in lines:
        keep(line.rstrip())
        yield line


def steps(lines: Iterable[str], total: int, *, every: int) -> Iterator[str]:
    """What pip is at, made of what it prints."""
    count = 0
    for line in lines:
        if line.startswith(SEEN):
            count += 1
            if count % every == 0:
                yield f"setup: fetched {count} of {total}".ljust(60)
        elif line.startswith("Installing collected packages"):
            yield "setup: unpacking".ljust(60)


def say(text: str, end: str = "\n") -> None:
    print(text, end=end, flush=True)


if __name__ == "__main__":
    sys.exit(main())
