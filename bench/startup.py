"""How soon the command answers, how soon a run asks, and how soon an operation that was never used is ready."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from bench.durable.crash import recovery, start
from bench.durable.services import upstream
from bench.measure import ROOT, note
from bench.scale import Scale
from bench.table import Section, Target

__all__ = ["run"]

HEAD = ("what", "ms", "times `import typer`")
OPERATION = "`beta responses create`"
FIRST_USE = f"look-up, load and first validation of {OPERATION}, the largest operation"
YARDSTICK = ("-c", "import typer")
KILLED_IN = 2_000
UPSTREAM_MS = 20


@dataclass(frozen=True)
class Timed:
    """What a figure is about, its milliseconds, and what is to be reached."""

    text: str
    milliseconds: float
    target: Target


def run(scale: Scale) -> Section:
    note(f"startup: {FIRST_USE}, {scale.starts} times")
    first = median(_first_use() for _ in range(scale.starts))
    typer, commands = _commands(scale.starts)
    found = [
        Timed(FIRST_USE, first, Target(f"{FIRST_USE}: at most 8 ms", first <= 8, f"{first:.1f} ms")),
        *commands,
        *_runs(scale.starts),
    ]
    rows = [("`python -c 'import typer'`, CPU", f"{typer:.1f}", "1.0")]
    rows += [(each.text, f"{each.milliseconds:.1f}", f"{each.milliseconds / typer:.1f}") for each in found]
    notes = (
        f"Median of {scale.starts} fresh processes each. The first use is elapsed time, in a client that is there.",
        f"The kill is one in the middle of {KILLED_IN:,} tasks on SQLite, whose calls the next one looks into.",
    )
    return Section("startup", HEAD, rows, [each.target for each in found], notes)


def _commands(times: int) -> tuple[float, list[Timed]]:
    """Return the CPU of the yardstick, and of commands whose runs alternate with its own."""
    asked = {
        ("-m", "connector", "--help"): ("`openai-connector --help`, CPU", 2.0),
        ("-m", "connector", "entities", "list"): ("`openai-connector entities list`, CPU", 2.5),
    }
    spent: dict[Sequence[str], list[float]] = {YARDSTICK: [], **{command: [] for command in asked}}
    for number in range(times):
        note(f"startup: commands, round {number + 1} of {times}")
        for command, found in spent.items():
            found.append(_cpu(command))
    typer = median(spent[YARDSTICK])
    timed: list[Timed] = []
    for command, (text, most) in asked.items():
        ratio = median(each / yard for each, yard in zip(spent[command], spent[YARDSTICK], strict=True))
        target = Target(f"{text}: at most {most:g} times `import typer`", ratio <= most, f"{ratio:.2f} times")
        timed.append(Timed(text, median(spent[command]), target))
    return typer, timed


def _runs(times: int) -> Iterator[Timed]:
    with upstream(UPSTREAM_MS) as server:
        note(f"startup: starts and kills of a run, {times} times")
        starts = [start(server).seconds for _ in range(times)]
        recoveries = [recovery(server, KILLED_IN).seconds for _ in range(times)]
    for text, found in (
        ("`run`, from the command to the first request", starts),
        ("`run`, from a kill to the next run's first request", recoveries),
    ):
        seconds = median(found)
        yield Timed(text, seconds * 1000, Target(f"{text}: at most 0.6 s", seconds <= 0.6, f"{seconds:.2f} s"))


def _cpu(arguments: Sequence[str]) -> float:
    """CPU milliseconds of one run of the command, user and system."""
    with subprocess.Popen([sys.executable, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"bench: `{' '.join(arguments)}` ended with {process.returncode}")
    return (usage.ru_utime + usage.ru_stime) * 1000


def _first_use() -> float:
    command = [sys.executable, "-m", "bench.first_use"]
    ended = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False, timeout=60)
    if ended.returncode:
        sys.exit(f"bench: `{' '.join(command[1:])}` ended with {ended.returncode}")
    return float(ended.stdout)
