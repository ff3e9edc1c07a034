"""Durable delivery beside those who keep tasks as well, and beside those who keep nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any

from bench.durable.crash import Begun, recovery, start
from bench.durable.rounds import BARE, DBOS, PEERS, POSTGRES, SQLITE, Found, measured
from bench.durable.services import upstream
from bench.environment import home
from bench.measure import ROOT, note
from bench.scale import Scale
from bench.table import Section, Target

__all__ = ["run"]

IN_FLIGHT = 256
UPSTREAM_MS = 20
HEAD = ("peer", "upstream ms", "tasks/s", "CPU µs a task", "rate / bare", "CPU / bare", "rate / dbos", "peak MB")
KILLED_IN = 4000
MOST_STORED = "BENCH_STORED"
"""The environment's word on how many stored tasks are enough, for a machine with little time or space."""
GROWN_TASKS = 2000
WARM = 200
FLAT = 1.25


def run(scale: Scale) -> Section:
    """Everybody at the usual pace of an upstream, ours and the bare publisher at others; then crashes, and growth."""
    rounds, seconds = scale.rounds, scale.seconds
    found: dict[int, Found] = {}
    for milliseconds in (UPSTREAM_MS, *scale.others):
        peers = (
            PEERS if milliseconds == UPSTREAM_MS else [each for each in PEERS if each.name in (SQLITE, POSTGRES, BARE)]
        )
        with upstream(milliseconds) as server:
            found[milliseconds] = measured(peers, server.base, IN_FLIGHT, rounds, seconds)
    with upstream(UPSTREAM_MS) as server:
        note("engine: starts and kills")
        starts = [start(server) for _ in range(scale.starts)]
        recoveries = [recovery(server, KILLED_IN) for _ in range(scale.starts)]
        grown = list(_grown(server.base, scale.stored))
    rows = [row for milliseconds, each in found.items() for row in _rows(milliseconds, each)]
    targets = [*_targets(found[UPSTREAM_MS]), *_crash_targets(recoveries), *_growth_targets(grown)]
    return Section("engine", HEAD, rows, targets, _notes(found, rounds, seconds, starts, recoveries, grown))


def _rows(milliseconds: int, found: Found) -> Iterator[tuple[str, ...]]:
    bare, dbos = found.figures.get(BARE), found.figures.get(DBOS)
    for name, each in found.figures.items():
        yield (
            name,
            str(milliseconds),
            f"{each.rate:,.0f}",
            f"{each.cpu * 1e6:,.0f}",
            f"{each.rate / bare.rate:.2f}" if bare else "-",
            f"{each.cpu / bare.cpu:.2f}" if bare else "-",
            f"{each.rate / dbos.rate:.1f}" if dbos else "-",
            f"{each.peak / 2**20:.0f}",
        )


def _targets(found: Found) -> Iterator[Target]:
    ours, bare, dbos = (found.figures.get(name) for name in (SQLITE, BARE, DBOS))
    where = f"with {UPSTREAM_MS} ms upstream, {IN_FLIGHT} in flight"
    if ours and bare:
        part = ours.rate / bare.rate
        yield Target(f"at least 80 % of the bare publisher's rate {where}", part >= 0.8, f"{part:.0%}")
    if ours and dbos:
        times = ours.rate / dbos.rate
        yield Target(f"at least 10 times dbos {where}", times >= 10, f"{times:.1f} times")


def _crash_targets(recoveries: Sequence[Begun]) -> Iterator[Target]:
    worst = max(each.seconds for each in recoveries)
    yield Target("from the kill to the next request in under 2 s on SQLite", worst < 2, f"{worst:.2f} s at most")


def _growth_targets(grown: Sequence[dict[str, Any]]) -> Iterator[Target]:
    first, last = grown[0], grown[-1]
    cost, memory = last["cpu"] / first["cpu"], last["peak"] / first["peak"]
    stored = f"{first['stored']:,} to {last['stored']:,} stored tasks"
    yield Target(f"CPU a task flat from {stored}", cost <= FLAT, f"{cost:.2f} times")
    yield Target(f"memory flat from {stored}", memory <= FLAT, f"{memory:.2f} times")


def _grown(base: str, steps: Sequence[int]) -> Iterator[dict[str, Any]]:
    most = int(os.environ.get(MOST_STORED, steps[-1]))
    note(f"engine: up to {most:,} stored tasks")
    with tempfile.TemporaryDirectory(dir=home()) as folder:
        _growth(folder, "run", base, str(WARM), str(IN_FLIGHT))
        stored = 0
        for size in (size for size in steps if size <= most):
            _growth(folder, "fill", str(stored), str(size))
            stored = size
            told = _growth(folder, "run", base, str(GROWN_TASKS), str(IN_FLIGHT))
            yield {"stored": stored, **json.loads(told)}


def _growth(folder: str, *arguments: str) -> str:
    command = [sys.executable, "-m", "bench.durable.growth", folder, *arguments]
    ended = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if ended.returncode:
        sys.exit(f"bench: `{' '.join(command[1:5])}` ended with {ended.returncode}")
    return ended.stdout


def _notes(
    found: dict[int, Found],
    rounds: int,
    seconds: float,
    starts: Sequence[Begun],
    recoveries: Sequence[Begun],
    grown: Sequence[dict[str, Any]],
) -> tuple[str, ...]:
    every = [figures for each in found.values() for figures in each.figures.values()]
    pairs = sorted({pair for figures in every for pair in figures.versions.items()})
    told = "; ".join(_size(each) for each in grown)
    return (
        f"Chat completions of about 1 kB each way, {IN_FLIGHT} in flight; median of {rounds} interleaved rounds of"
        f" about {seconds:g} s; no process is bound to a core. CPU is that of the peer's process with all its threads;"
        " what PostgreSQL or Redis use beside it is not in it.",
        f"From the command to the first request {_begun(starts)}; from the kill of a run of {KILLED_IN:,} tasks to the"
        f" first request of the next one, its start included, {_begun(recoveries)}; medians of {len(starts)}.",
        f"CPU a task and peak memory of a run of {GROWN_TASKS:,} tasks, by how many tasks are stored: {told}.",
        f"Rounds lie up to {max(figures.spread for figures in every):.0%} of the median apart.",
        f"Versions: {', '.join(f'{name} {release}' for name, release in pairs)}.",
        *(f"{name} is left out: {reason}." for each in found.values() for name, reason in each.left_out.items()),
    )


def _size(grown: dict[str, Any]) -> str:
    return f"{grown['stored']:,}: {grown['cpu'] * 1e6:,.0f} µs, {grown['peak'] / 2**20:.0f} MB"


def _begun(begun: Sequence[Begun]) -> str:
    seconds, cpu = median(each.seconds for each in begun), median(each.cpu for each in begun)
    return f"{seconds:.2f} s, of which {cpu:.2f} s of a core are the process's own"
