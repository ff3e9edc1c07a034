"""All peers against one upstream, in rounds that each begin with another peer, every measurement in a fresh process."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench.durable.services import database, redis
from bench.environment import Unavailable, home, python_of
from bench.measure import ROOT, note

__all__ = ["BARE", "DBOS", "PEERS", "POSTGRES", "SQLITE", "Figures", "Found", "Peer", "measured"]

LONGEST = 120


@dataclass(frozen=True)
class Peer:
    """One way to deliver documents.

    Attributes:
        module: in this package.
        keeps: where it keeps its tasks: nowhere, file, postgresql, redis.
        pace: about how many tasks it does a second, so that a round takes about as long for each.
    """

    name: str
    module: str
    keeps: str
    pace: int


SQLITE, POSTGRES, BARE, DBOS = "openai-connector, SQLite", "openai-connector, PostgreSQL", "bare publisher", "dbos"
PEERS = (
    Peer(SQLITE, "ours", "sqlite", 1500),
    Peer(POSTGRES, "ours", "postgresql", 500),
    Peer(BARE, "bare", "nowhere", 1500),
    Peer("raw SQLite loop", "raw_sqlite", "folder", 1500),
    Peer("openai + gather", "sdk_gather", "nowhere", 150),
    Peer(DBOS, "dbos_steps", "postgresql", 100),
    Peer("procrastinate", "procrastinate_jobs", "postgresql", 50),
    Peer("Celery, Redis", "celery_redis", "redis", 150),
)
MODULES = {peer.name: peer.module for peer in PEERS}


class Figures:
    """All rounds of one peer."""

    def __init__(self, rounds: Sequence[dict[str, Any]]) -> None:
        self.rates = [each["done"] / each["seconds"] for each in rounds]
        self.rate = median(self.rates)
        self.cpu = median(each["cpu"] / each["done"] for each in rounds)
        self.peak = max(each["peak"] for each in rounds)
        self.versions: dict[str, str] = rounds[0]["versions"]

    @property
    def spread(self) -> float:
        """How far the rounds lie apart, as a part of their median."""
        return (max(self.rates) - min(self.rates)) / self.rate


@dataclass(frozen=True)
class Found:
    """The figures of those who could be measured, and why others could not."""

    figures: dict[str, Figures]
    left_out: dict[str, str]


def measured(peers: Sequence[Peer], base: str, in_flight: int, rounds: int, seconds: float) -> Found:
    """Every peer once a round."""
    found: dict[str, list[dict[str, Any]]] = {peer.name: [] for peer in peers}
    left_out: dict[str, str] = {}
    for number in range(rounds):
        first = number % len(peers)
        for peer in [*peers[first:], *peers[:first]]:
            if peer.name in left_out:
                continue
            note(f"engine: round {number + 1} of {rounds}: {peer.name}")
            try:
                found[peer.name].append(_once(peer, base, in_flight, max(int(peer.pace * seconds), 1)))
            except Unavailable as reason:
                note(f"{peer.name}: left out: {reason}")
                left_out[peer.name] = str(reason)
    return Found({name: Figures(all_) for name, all_ in found.items() if name not in left_out}, left_out)


def _once(peer: Peer, base: str, in_flight: int, tasks: int) -> dict[str, Any]:
    with _place(peer.keeps) as place:
        python = str(python_of(peer.module))
        command = [python, "-m", "bench.durable.worker", peer.module, base, place, str(tasks), str(in_flight)]
        try:
            ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LONGEST, check=False)
        except subprocess.TimeoutExpired:
            raise Unavailable(f"no result within {LONGEST} s") from None
    if ended.returncode:
        raise Unavailable((ended.stderr.strip().splitlines() or ["it ended without a word"])[-1])
    result: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return result


@contextmanager
def _place(keeps: str) -> Generator[str]:
    """An empty place to keep tasks in."""
    if keeps == "postgresql":
        with database() as url:
            yield url
    elif keeps == "redis":
        with redis() as url:
            yield url
    else:
        with tempfile.TemporaryDirectory(dir=home()) as folder:  # on a disk: /tmp may be memory
            yield f"sqlite:///{Path(folder) / 'tasks.db'}" if keeps == "sqlite" else folder
