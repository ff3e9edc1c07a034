"""How soon a run asks for the first time, and how soon one goes on after its process was killed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import orjson

from bench.durable.ours import declared, write_lines
from bench.durable.services import Upstream
from bench.environment import home
from bench.measure import ROOT

__all__ = ["Begun", "recovery", "start"]

PATIENCE = 60.0


@dataclass(frozen=True)
class Begun:
    """Until the first request: seconds by the clock, and those of a core that the new process itself needed."""

    seconds: float
    cpu: float


def start(upstream: Upstream) -> Begun:
    """From the command to the first request that reaches the upstream."""
    with tempfile.TemporaryDirectory(dir=home()) as name:
        folder = _folder(Path(name), upstream, 1)
        began = time.time()
        with _running(folder) as process:
            return Begun(_first(upstream) - began, _cpu(process.pid))


def recovery(upstream: Upstream, tasks: int) -> Begun:
    """From the kill in the middle of so many tasks to the next request, the new process's start included."""
    with tempfile.TemporaryDirectory(dir=home()) as name:
        folder = _folder(Path(name), upstream, tasks)
        with _running(folder) as process:
            _first(upstream)
            time.sleep(0.5)
            killed = time.time()
            process.kill()
            process.wait()
        time.sleep(0.05)  # what the dead process had written into its connections has been read
        upstream.asked()
        with _running(folder) as process:
            begun = Begun(_first(upstream) - killed, _cpu(process.pid))
            process.kill()
    return begun


def _folder(folder: Path, upstream: Upstream, tasks: int) -> Path:
    write_lines(folder / "in.jsonl", tasks)
    document = declared(upstream.base, "sqlite:///tasks.db", 256)
    (folder / "connector.yaml").write_bytes(orjson.dumps(document))
    upstream.asked()
    return folder


def _running(folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "connector", "run", "--once", "-f", str(folder / "connector.yaml")]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _first(upstream: Upstream) -> float:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        _, first = upstream.asked()
        if first:
            return first
        time.sleep(0.02)
    sys.exit(f"bench: no request within {PATIENCE:.0f} s")


def _cpu(pid: int) -> float:
    """What a process has used until now, a little more than until its first request."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
