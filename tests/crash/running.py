"""The real command in a process of its own, with a plan for its end; and a faster way to begin many of them.

A cold run is `openai-connector run`, begun as a person would. A warm one is the same main function in a fork of a
process that has imported it already.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout, suppress
from importlib import import_module
from io import BytesIO, TextIOWrapper
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

__all__ = ["HERE", "PATIENCE", "ROOT", "Run", "Warm", "cold", "environment", "serve"]

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PATIENCE = 90.0


class Run:
    """One process that runs."""

    def __init__(self, pid: int, wait: Any, said: Path) -> None:
        self.pid = pid
        self._wait = wait
        self._said = said

    def wait(self) -> int:
        """How it ended: its exit code, or minus the signal that ended it."""
        return self._wait()

    def send(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    @property
    def said(self) -> str:
        """What it printed."""
        return self._said.read_text(errors="replace")


def environment(plan: dict[str, Any]) -> dict[str, str]:
    """The variables of a process with a plan."""
    path = f"{HERE / 'planted'}{os.pathsep}{ROOT}"
    return {**os.environ, "KEY": "sk-made-up", "CRASH_PLAN": json.dumps(plan), "PYTHONPATH": path}


def cold(folder: Path, plan: dict[str, Any], arguments: Sequence[str]) -> Run:
    """The installed command."""
    said = folder / f"said-{plan['number']}"
    command = Path(sys.executable).with_name("openai-connector")
    with said.open("wb") as output:
        process = subprocess.Popen(
            [str(command), *arguments], cwd=folder, env=environment(plan), stdout=output, stderr=subprocess.STDOUT
        )
    return Run(process.pid, lambda: process.wait(PATIENCE), said)


class Warm:
    """A process that has imported everything and forks for each run, one at a time.

    Args:
        modules: what it imports beside what every run imports.
        command: begins another process, which calls `serve`.
    """

    def __init__(self, *modules: str, command: Sequence[str] = ()) -> None:
        self._process = subprocess.Popen(
            [*(command or (sys.executable, "-m", "tests.crash.running")), *modules],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._out: Any = self._process.stdout
        self._in: Any = self._process.stdin

    def __call__(self, folder: Path, plan: dict[str, Any], arguments: Sequence[str]) -> Run:
        said = folder / f"said-{plan['number']}"
        asked = {"folder": str(folder), "plan": plan, "arguments": list(arguments), "said": str(said)}
        self._in.write(json.dumps(asked) + "\n")
        self._in.flush()
        return Run(int(self._out.readline()), lambda: int(self._out.readline()), said)

    def close(self) -> None:
        self._in.close()
        self._process.wait(PATIENCE)
        self._out.close()


def serve(act: Callable[[list[str]], None]) -> None:
    """Fork for each run that standard input asks for, and say how it ended.

    Args:
        act: what a fork does, given its words.
    """
    import tests.crash.mutants
    import tests.crash.planting
    import tests.crash.power  # noqa: F401

    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if not child:
            _become(asked, act)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        sys.stdout.write(f"{_end_of(child)}\n")
        sys.stdout.flush()


def _command(words: list[str]) -> None:
    from connector.cli import main

    sys.argv = ["openai-connector", *words]
    main()


def _warm_up(folder: Path) -> None:
    """One run over nothing: what that has loaded no fork has to load."""
    from connector.cli import main
    from tests.crash.configuration import KINDS, configure, offer

    os.environ["KEY"] = "sk-made-up"
    configure(folder, "http://127.0.0.1:9/v1", f"sqlite:///{folder / 'tasks.db'}")
    offer(folder, 0, 0)
    routes = [name for name, kind in KINDS.items() if kind.reads == "file"]
    sys.argv = ["openai-connector", "run", "--once", "-f", str(folder / "connector.yaml"), *routes]
    with redirect_stdout(TextIOWrapper(BytesIO())), suppress(SystemExit):
        main()


def _end_of(child: int) -> int:
    """How a child ended; one that hangs is ended."""

    def hangs(*_: object) -> None:
        os.kill(child, signal.SIGKILL)

    signal.signal(signal.SIGALRM, hangs)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    _, status = os.waitpid(child, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    return os.waitstatus_to_exitcode(status)


def _become(asked: dict[str, Any], act: Callable[[list[str]], None]) -> None:
    """This fork does what was asked, and nothing else."""
    from tests.crash.planting import plant

    code = 99
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        output = os.open(asked["said"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        pipes = asked["plan"].get("pipes")
        os.dup2(os.open(pipes[0] if pipes else os.devnull, os.O_RDONLY), 0)
        os.dup2(os.open(pipes[1], os.O_WRONLY) if pipes else output, 1)
        os.dup2(output, 2)
        os.chdir(asked["folder"])
        os.environ["KEY"] = "sk-made-up"
        plant(json.dumps(asked["plan"]))
        act(asked["arguments"])
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001  a fork never goes on with what its parent does
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    for module in sys.argv[1:]:
        import_module(module)
    with TemporaryDirectory() as place:
        _warm_up(Path(place))
    serve(_command)
