"""The command `openai-connector` for tests that run it often: its main function, in a fork of a warm process.

A command that is begun from nothing imports for half a second what this has imported already. Its words, folder,
variables, open files, signals and exit code are those of a process of its own. Tests of how the command is installed
and what it imports begin it from nothing, and so does everything while coverage is measured.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

__all__ = ["command", "mistaken", "path"]

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PATIENCE = 60.0
NAME = "openai-connector"
MISTAKE = "WARM_MISTAKE"
"""The variable that names a module and a mistake in it, which its `plant` puts into the command."""


def command() -> list[str]:
    """Return the words that begin the command."""
    return [sys.executable, "-m", "connector"] if is_cold() else [str(tools() / NAME)]


def mistaken(module: str, name: str) -> list[str]:
    """Return the words that begin the command with a mistake: one that `module` plants, or runs the command with."""
    if is_cold():
        return [sys.executable, "-m", module, name]
    return ["env", f"{MISTAKE}={module}:{name}", *command()]


def path() -> str:
    """Return the folders in which a shell finds the command before any other, and Python beside it."""
    own = [] if is_cold() else [str(tools())]
    return os.pathsep.join([*own, str(Path(sys.executable).parent), os.environ.get("PATH", "")])


def is_cold() -> bool:
    """Whether each command must be a process of its own: for coverage, or since the system cannot watch a fork."""
    return not hasattr(os, "pidfd_open") or any(name.startswith("COVERAGE_PROCESS") for name in os.environ)


@cache
def tools() -> Path:
    """Return the folder of the command; its server is begun when it is first asked for, and ends with this process."""
    folder = Path(mkdtemp(prefix="warm-"))
    script = folder / NAME
    script.write_text(f"#!{sys.executable} -IS\n{(HERE / 'client.py').read_text()}")
    script.chmod(0o755)
    address = folder / "socket"
    words = [sys.executable, "-m", "tests.warm.server", str(address)]
    server = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.DEVNULL, start_new_session=True)

    def end() -> None:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait(PATIENCE)
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(end)
    until = time.monotonic() + PATIENCE
    while not address.exists():
        assert server.poll() is None, "the warm process has ended"
        assert time.monotonic() < until, f"the warm process is not there after {PATIENCE:.0f} s"
        time.sleep(0.01)
    return folder
