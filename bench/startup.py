"""How soon the command answers, and how soon an operation that was never used is ready."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from statistics import median

from bench.measure import ROOT, note
from bench.table import Section, Target

__all__ = ["run"]

TIMES = 10
HEAD = ("what", "ms")
FIRST_USE = "look-up, load and first validation of `responses create`"
COMMANDS = (
    ("`openai-connector --help`, CPU", ("-m", "connector", "--help"), 150),
    ("`openai-connector entities list`, CPU", ("-m", "connector", "entities", "list"), 300),
)


def run() -> Section:
    note(f"startup: {FIRST_USE}, {TIMES} times")
    first = median(_first_use() for _ in range(TIMES))
    rows = [(FIRST_USE, first)]
    targets = [Target(f"{FIRST_USE}: under 10 ms", first < 10, f"{first:.1f} ms")]
    for text, command, most in COMMANDS:
        note(f"startup: {text}, {TIMES} times")
        spent = median(_cpu(command) for _ in range(TIMES))
        rows.append((text, spent))
        targets.append(Target(f"{text}: under {most} ms", spent < most, f"{spent:.0f} ms"))
    notes = (
        f"Median of {TIMES} fresh processes each. The first use is elapsed time in a client that is already there.",
    )
    return Section("startup", HEAD, [(text, f"{ms:.1f}") for text, ms in rows], targets, notes)


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
