"""How many calls a sandbox answers on one core, how its time grows with what it remembers, and how soon it is there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from bench.machine import cores
from bench.measure import ROOT, note
from bench.scale import Scale
from bench.table import Section, Target

__all__ = ["run"]

HEAD = ("what", "figure")
CONNECTIONS = (1, 16, 64)
FEW = 1_000
SLOWER = 2.0
"""As many times as a request among many objects may take longer than among few, to be called flat."""


def run(scale: Scale) -> Section:
    rounds, seconds, most = scale.rounds, scale.seconds, scale.objects
    starts = median(_start() for _ in range(scale.starts))
    with _sandbox() as port:
        rates = {places: median(_rate(port, places, seconds) for _ in range(rounds)) for places in CONNECTIONS}
    note(f"sandbox: {FEW:,} and {most:,} objects")
    few, many = _remembering(FEW), _remembering(most)
    rows = [("from the command to the first answer", f"{starts * 1000:.0f} ms")]
    rows += [(f"chat completions a second, {n} connections", f"{rate:,.0f}") for n, rate in rates.items()]
    rows += [
        (f"{name} among {FEW:,} and among {most:,}", f"{few[name] * 1e6:.0f} and {many[name] * 1e6:.0f} µs")
        for name in few
    ]
    best = max(rates.values())
    worst = max(many[name] / few[name] for name in few)
    targets = [
        Target("at least 3,000 chat completions a second on one core", best >= 3000, f"{best:,.0f}"),
        Target(
            f"{most:,} objects: no request more than {SLOWER:g} times slower", worst <= SLOWER, f"{worst:.1f} times"
        ),
        Target("a start under a second", starts < 1, f"{starts * 1000:.0f} ms"),
    ]
    notes = (
        f"Calls are checked like any other; load from another process, median of {rounds} rounds of {seconds:g} s.",
        "Objects are projects in memory, each figure the median of 200 calls over HTTP on one connection.",
    )
    return Section("sandbox", HEAD, rows, targets, notes)


@contextmanager
def _sandbox() -> Iterator[int]:
    """The port of a sandbox on a core of its own."""
    core, _ = cores()
    command = [sys.executable, "-m", "connector", "sandbox", "--port", "0"]
    pinned = command if core is None else ["taskset", "-c", str(core), *command]
    with subprocess.Popen(pinned, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout
        try:
            yield int(process.stdout.readline().rpartition(":")[2].partition("/")[0])
        finally:
            process.send_signal(signal.SIGTERM)


def _start() -> float:
    """Seconds from the command to its first answer."""
    began = time.perf_counter()
    with _sandbox() as port:
        request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/models", headers={"Authorization": "Bearer b"})
        with urllib.request.urlopen(request) as answer:
            answer.read()
        return time.perf_counter() - began


def _rate(port: int, connections: int, seconds: float) -> float:
    note(f"sandbox: {connections} connections for {seconds:g} s")
    _, core = cores()
    command = [sys.executable, "-m", "bench.flood", str(port), str(connections), str(seconds)]
    found = _told([*command, *([] if core is None else [str(core)])])
    return float(found["done"]) / float(found["seconds"])


def _remembering(number: int) -> dict[str, float]:
    """The median seconds of a request of each kind, among so many objects."""
    found = _told([sys.executable, "-m", "bench.remembering", str(number)])
    return {name: float(value) for name, value in found.items()}


def _told(command: list[str]) -> dict[str, float]:
    ended = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False, env=os.environ.copy())
    if ended.returncode:
        sys.exit(f"bench: `{' '.join(command[1:])}` ended with {ended.returncode}")
    found: dict[str, float] = json.loads(ended.stdout)
    return found
