"""Peers against one server in interleaved rounds, each measurement in a fresh process, so that noise hits all alike."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench.environment import Unavailable, python_of
from bench.machine import cores

__all__ = ["ROOT", "Figures", "Found", "measure", "note", "serving"]

ROOT = Path(__file__).resolve().parents[1]
LONGEST = 180.0
"""Seconds after which one measurement is given up."""


@dataclass(frozen=True)
class Measured:
    """What one process did."""

    done: int
    seconds: float
    cpu: float
    server: float
    peak: int
    failed: int
    failure: str
    versions: dict[str, str]


class Figures:
    """All rounds of one peer; a figure is the median of its rounds."""

    def __init__(self, rounds: Sequence[Measured]) -> None:
        self._rounds = rounds
        self.rate = median(each.done / each.seconds for each in rounds)
        self.cpu = median(each.cpu / each.done for each in rounds)
        self.seconds = median(each.seconds for each in rounds)
        self.server = max(each.server / each.seconds for each in rounds)
        self.peak = max(each.peak for each in rounds)
        self.failed = sum(each.failed for each in rounds)
        self.versions = rounds[0].versions

    @property
    def spread(self) -> float:
        """How far the rounds lie apart, as a part of the median: says how quiet the machine was."""
        rates = [each.done / each.seconds for each in self._rounds]
        return (max(rates) - min(rates)) / self.rate


class Found(dict[str, Figures]):
    """The peers that could be measured, and why others could not."""

    def __init__(self, figures: Mapping[str, Figures], left_out: Mapping[str, str]) -> None:
        super().__init__(figures)
        self.left_out = left_out


def note(text: str) -> None:
    """Say how far the bench is, apart from its results."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def serving(*, beside_load: bool = False) -> Iterator[str]:
    """The base URI of a server that lives as long as the block; `beside_load`, on the core of those who call it."""
    core = cores()[1 if beside_load else 0]
    command = [sys.executable, "-m", "bench.server", *([] if core is None else [str(core)])]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin
        assert server.stdout
        try:
            yield f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
        finally:
            server.stdin.close()


def measure(peers: Iterable[str], part: str, base: str, rounds: int, *arguments: str) -> Found:
    """Every peer once a round, each round begun by another; one that cannot run is left out, with its reason."""
    running = list(peers)
    found: dict[str, list[Measured]] = {peer: [] for peer in running}
    left_out: dict[str, str] = {}
    for number in range(rounds):
        first = number % len(running) if running else 0
        for peer in running[first:] + running[:first]:
            note(f"{part} {' '.join(arguments)}: round {number + 1} of {rounds}: {peer}")
            try:
                found[peer].append(_once(peer, part, base, arguments))
            except Unavailable as reason:
                note(f"{peer}: left out: {reason}")
                left_out[peer] = str(reason)
                running.remove(peer)
    return Found({peer: Figures(found[peer]) for peer in running}, left_out)


def _once(peer: str, part: str, base: str, arguments: Iterable[str]) -> Measured:
    _, core = cores()
    pinned = [] if core is None else ["--core", str(core)]
    command = [str(python_of(peer)), "-m", "bench.worker", peer, part, base, *arguments, *pinned]
    try:
        ended = subprocess.run(
            command, cwd=ROOT, env=_surroundings(), capture_output=True, text=True, timeout=LONGEST, check=False
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"no result within {LONGEST:.0f} s") from None
    if ended.returncode:
        raise Unavailable((ended.stderr.strip().splitlines() or ["it ended without a word"])[-1])
    result: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    measured = Measured(**result)
    if measured.failed:
        note(f"{peer}: {measured.failed} calls failed, the last with {measured.failure}")
    return measured


def _surroundings() -> dict[str, str]:
    """The environment without proxies and without anything that would make a peer look elsewhere than at loopback."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")}
    kept = {name: value for name, value in kept.items() if not name.startswith(("OPENAI_", "LITELLM_"))}
    return kept | {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
