"""How many documents a second a chain maps, beside the same mapping done in other ways."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from statistics import median
from typing import Any

from bench.environment import Unavailable, python_of
from bench.machine import cores
from bench.mapping import BUDGETED, BY_HAND, JMESPATH, NAMES, OURS, STRICT, WAYS
from bench.measure import ROOT, note
from bench.scale import Scale
from bench.table import Section, Target

__all__ = ["run"]

HEAD = ("a record of 1 kB, JSON text in and out", "documents/s", "times by hand")
ENOUGH, MOST_TIMES, MOST_OF_JMESPATH = 40_000, 3.0, 1.2


def run(scale: Scale) -> Section:
    rounds, seconds = scale.rounds, scale.seconds
    found: dict[str, list[float]] = {}
    versions: dict[str, str] = {}
    missing: list[str] = []
    # Round by round, so that a busy moment of the machine meets everybody.
    for number in range(rounds):
        for way in WAYS:
            if any(way in reason for reason in missing):
                continue
            note(f"transform: {NAMES[way]}, round {number + 1} of {rounds}")
            try:
                result = _measured(way, seconds)
            except Unavailable as error:
                missing.append(f"{NAMES[way]} ({way}): {error}.")
                continue
            found.setdefault(way, []).append(result["cpu"])
            versions |= result["versions"]
    rates = {way: median(figures) for way, figures in found.items()}
    by_hand = rates[BY_HAND]
    rows = [(NAMES[way], f"{rate:,.0f}", f"{by_hand / rate:.1f}") for way, rate in rates.items()]
    return Section("transform", HEAD, rows, list(_targets(rates)), (_notes(rounds, versions), *missing))


def _targets(rates: Mapping[str, float]) -> Iterator[Target]:
    yield Target(f"at least {ENOUGH:,} documents a second on one core", rates[OURS] >= ENOUGH, f"{rates[OURS]:,.0f}")
    times = rates[BY_HAND] / rates[STRICT]
    text = f"with the strict JSON of the commands, at most {MOST_TIMES:g} times the time by hand"
    yield Target(text, times <= MOST_TIMES, f"{times:.2f}")
    if JMESPATH in rates:
        times = rates[JMESPATH] / rates[BUDGETED]
        text = f"an expression with its budget, at most {MOST_OF_JMESPATH:g} times the time of jmespath"
        yield Target(text, times <= MOST_OF_JMESPATH, f"{times:.2f}")


def _notes(rounds: int, versions: dict[str, str]) -> str:
    used = ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
    return (
        "Three keys set, a number cast, a word looked up, a key moved, two removed; orjson on every side; every way's "
        f"result is checked. By processor time, median of {rounds} processes each. {used}."
    )


def _measured(way: str, seconds: float) -> dict[str, Any]:
    core = cores()[1]
    command = [str(python_of(way)), "-m", "bench.mapping", way, "--seconds", str(seconds)]
    command += ["--core", str(core)] if core is not None else []
    try:
        ended = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60 + seconds * 10
        )
    except subprocess.TimeoutExpired:
        raise Unavailable("it took too long") from None
    if ended.returncode and way in (OURS, STRICT, BUDGETED, BY_HAND):
        sys.exit(f"bench: `{' '.join(command[1:])}` ended with {ended.returncode}: {ended.stderr}")
    if ended.returncode:
        raise Unavailable((ended.stderr.strip().splitlines() or ["it failed"])[-1][:200])
    result: dict[str, Any] = json.loads(ended.stdout)
    return result
