"""The studio's part of the bench: a table of questions, and what they cost a run."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from bench.durable.services import database, upstream
from bench.environment import Unavailable, home
from bench.measure import ROOT, note
from bench.scale import Scale
from bench.studio.fill import fill
from bench.studio.questions import ask_all
from bench.table import Section, Target
from connector.engine import open_store
from connector.engine.search import TaskSearch

__all__ = ["run"]

MOST_STORED = "BENCH_STORED"
"""The environment's word on how many stored tasks are enough, for a machine with little time or space."""
HEAD = ("question, with a page of 50", "SQLite ms", "worst", "PostgreSQL ms", "worst")
SOON, FALLS = 0.2, 0.05
DASHBOARDS, IN_FLIGHT = 10, 256


def run(scale: Scale) -> Section:
    """Every question on both engines, without and with an index of the documents; then a run with dashboards open."""
    stored = int(os.environ.get(MOST_STORED, scale.stored[-1]))
    found: dict[str, dict[str, Any]] = {}
    left_out: list[str] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=home())))
        urls = {"SQLite": f"sqlite:///{folder / 'tasks.db'}"}
        try:
            urls["PostgreSQL"] = stack.enter_context(database())
        except Unavailable as error:
            left_out.append(f"PostgreSQL is left out: {error}.")
        for name, url in urls.items():
            note(f"studio: {stored:,} tasks in {name}")
            found[name] = asyncio.run(_measure(url, folder / f"{name}.search", stored))
            found[name]["run"] = list(_deliver(url, folder / f"{name}.search", scale))
    return Section(
        "studio", HEAD, list(_rows(found)), list(_targets(found)), (*_notes(found, stored, scale.delivered), *left_out)
    )


async def _measure(url: str, index: Path, stored: int) -> dict[str, Any]:
    await fill(url, stored)
    store = await open_store(url, role="admin")
    search, told = TaskSearch(store, index), dict[str, Any]()
    told["rows"] = await _settle(search, index)
    search.start()
    told["scanned"] = await ask_all(search, stored)
    await search.follower.want_text()
    told["documents"] = await _settle(search, index)
    told["indexed"] = await ask_all(search, stored)
    await search.close()
    await store.close()
    return told


async def _settle(search: TaskSearch, index: Path) -> tuple[float, float, int]:
    """Return the seconds and CPU seconds until the index is whole, and its bytes then."""
    began, used = time.perf_counter(), time.process_time()
    await search.follower.settle()
    return time.perf_counter() - began, time.process_time() - used, _size(index)


def _size(index: Path) -> int:
    return sum(each.stat().st_size for each in index.parent.glob(f"{index.name}*"))


def _deliver(
    url: str, index: Path, scale: Scale
) -> Iterator[tuple[dict[str, float], dict[str, float], dict[str, Any]]]:
    """Yield runs without and with dashboards, by turns."""
    with upstream(20) as server:
        for number in range(scale.rounds):
            note(f"studio: round {number + 1} of a run with and without dashboards")
            alone = _run("bench.studio.delivery", url, server.base, str(scale.delivered), str(IN_FLIGHT))
            command = [sys.executable, "-m", "bench.studio.dashboards", url, str(index), str(DASHBOARDS)]
            with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as open_:
                assert open_.stdin
                assert open_.stdout
                open_.stdout.readline()
                watched = _run("bench.studio.delivery", url, server.base, str(scale.delivered), str(IN_FLIGHT))
                open_.stdin.close()
                yield alone, watched, json.loads(open_.stdout.readline())


def _run(module: str, *arguments: str) -> dict[str, float]:
    command = [sys.executable, "-m", module, *arguments]
    ended = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if ended.returncode:
        sys.exit(f"bench: `{' '.join(command[1:3])}` ended with {ended.returncode}")
    told: dict[str, float] = json.loads(ended.stdout)
    return told


def _rows(found: dict[str, dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    for number, (name, *_) in enumerate(next(iter(found.values()))["indexed"]):
        yield (name, *(cell for engine in ("SQLite", "PostgreSQL") for cell in _cells(found.get(engine), number)))


def _cells(told: dict[str, Any] | None, number: int) -> Sequence[str]:
    if told is None:
        return "-", "-"
    _, middle, worst, page = told["indexed"][number]
    return f"{middle * 1000:.0f}{'' if page.searched.whole else ' (cut)'}", f"{worst * 1000:.0f}"


def _targets(found: dict[str, dict[str, Any]]) -> Iterator[Target]:
    for engine, told in found.items():
        slowest = max(told["indexed"], key=lambda each: each[1])
        text = f"every question in under 200 ms on {engine}"
        yield Target(text, slowest[1] < SOON, f"{slowest[1] * 1000:.0f} ms ({slowest[0]})")
        alone, watched = (median(each[which]["rate"] for each in told["run"]) for which in (0, 1))
        falls = 1 - watched / alone
        text = f"a run's rate falls by less than 5 % with {DASHBOARDS} dashboards on {engine}"
        yield Target(text, falls < FALLS, f"{falls:.0%}, from {alone:,.0f} to {watched:,.0f} tasks/s")


def _notes(found: dict[str, dict[str, Any]], stored: int, delivered: int) -> Iterator[str]:
    yield f"{stored:,} tasks of about 1 kB; medians and worst of five. (cut): partial, with a cursor that goes on."
    for engine, told in found.items():
        (seconds, used, size), (more, cpu, whole) = told["rows"], told["documents"]
        cut = sum(not page.searched.whole for *_, page in told["scanned"])
        slowest = max(middle for _, middle, *_ in told["scanned"])
        yield (
            f"{engine}: the index of rows takes {seconds:.0f} s ({used:.0f} s of a core) and {size / 2**20:,.0f} MB;"
            f" that of documents, begun by the first search in them, {more:.0f} s ({cpu:.0f} s) and"
            f" {(whole - size) / 2**20:,.0f} MB. Before it is there, the slowest question takes"
            f" {slowest * 1000:.0f} ms, and {cut} are cut."
        )
        cpus = [median(each[which]["cpu"] for each in told["run"]) * 1e6 for which in (0, 1)]
        pages, worst = sum(each[2]["pages"] for each in told["run"]), max(each[2]["worst"] for each in told["run"])
        yield (
            f"{engine}, a run of {delivered:,} tasks: {cpus[0]:,.0f} µs a task alone, {cpus[1]:,.0f} µs with"
            f" dashboards, which read {pages:,} pages, the slowest in {worst * 1000:.0f} ms."
        )
