"""How soon the command answers, and how soon an operation that was never used is ready."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from statistics import median

from bench.measure import ROOT, note
from bench.table import Section, Target

__all__ = ["run"]

TIMES = 10
HEAD = ("what", "ms")
ROWS: tuple[tuple[str, Sequence[str], float], ...] = (
    ("`openai-connector --help`, CPU", ("-m", "connector", "--help"), 150),
    ("`openai-connector entities list`, CPU", ("-m", "connector", "entities", "list"), 300),
)


def run() -> Section:
    first = _median("first use", _first_use)
    rows = [("look-up, load and first validation of `responses create`, cold", first)]
    targets = [Target(f"{rows[0][0]}: under 10 ms", first < 10, f"{first:.1f} ms")]
    for text, command, most in ROWS:
        spent = _median(text, partial(_cpu, command))
        rows.append((text, spent))
        targets.append(Target(f"{text}: under {most} ms", spent < most, f"{spent:.0f} ms"))
    notes = (f"Median of {TIMES} fresh processes each; imports are part of the CPU, not of the first use.",)
    return Section("startup", HEAD, [(text, f"{ms:.1f}") for text, ms in rows], targets, notes)


def _median(text: str, once: Callable[[], float]) -> float:
    note(f"startup: {text}, {TIMES} times")
    return median(once() for _ in range(TIMES))


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
