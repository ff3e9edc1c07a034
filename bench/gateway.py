"""The gateway beside a bare pass-through and others' gateways: the same caller, the same upstream, one core each."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

from bench.environment import Unavailable
from bench.gateways import GATEWAYS, Running
from bench.machine import cores
from bench.measure import ROOT, note, serving
from bench.scale import Scale
from bench.table import Section, Target

__all__ = ["run"]

HEAD = (
    "gateway",
    "connections",
    "requests/s",
    "CPU ms a request",
    "p50 ms",
    "p99 ms",
    "p50 added ms",
    "/ pass-through",
)
OURS, BARE, NOBODY = "openai-connector serve", "bare aiohttp pass-through", "no gateway"
TIMES = {BARE: 1, "Portkey's gateway": 6, "LiteLLM's proxy": 50}
ADDED_MS = 0.35


@dataclass(frozen=True)
class Pressed:
    """What one round of load came to."""

    rate: float
    p50: float
    p99: float
    cpu: float
    """Seconds of the gateway's core a request."""


class Figures:
    """All rounds of one gateway at a number of connections; a figure is their median."""

    def __init__(self, rounds: list[Pressed]) -> None:
        self.rate = median(each.rate for each in rounds)
        self.p50 = median(each.p50 for each in rounds) * 1000
        self.p99 = median(each.p99 for each in rounds) * 1000
        self.cpu = median(each.cpu for each in rounds) * 1000
        self.spread = (max(each.rate for each in rounds) - min(each.rate for each in rounds)) / self.rate


Found = dict[tuple[str, int], Figures]


def run(scale: Scale) -> Section:
    """Every gateway once a round at each number of connections."""
    rounds, seconds = scale.rounds, scale.seconds
    pressed: dict[tuple[str, int], list[Pressed]] = {}
    left_out: dict[str, str] = {}
    with ExitStack() as stack:
        base = stack.enter_context(serving(beside_load=True))
        running = dict(_running(stack, base, left_out))
        for number in range(rounds):
            for places in sorted({1, *scale.in_flight}):
                for name, each in running.items():
                    note(f"gateway: round {number + 1} of {rounds}: {name}, {places} connections")
                    pressed.setdefault((name, places), []).append(_pressed(each, places, seconds))
    found = {key: Figures(all_rounds) for key, all_rounds in pressed.items()}
    notes = (
        "POST /v1/chat/completions, about 1 kB each way, kept connections; each gateway on a core of its own with one"
        f" process or worker, upstream and load together on the other; median of {rounds} rounds of {seconds:g} s.",
        "`no gateway` is what upstream and load manage alone. CPU is that of the gateway alone.",
        f"Rounds lie up to {max(each.spread for each in found.values()):.0%} of the median apart.",
        *(f"{name} is left out: {reason}." for name, reason in left_out.items()),
    )
    return Section("gateway", HEAD, list(_rows(found)), list(_targets(found)), notes)


def _running(stack: ExitStack, base: str, left_out: dict[str, str]) -> Iterator[tuple[str, Running]]:
    for name, starts in GATEWAYS.items():
        note(f"gateway: starting {name}")
        try:
            yield name, stack.enter_context(starts(base))
        except Unavailable as reason:
            note(f"{name}: left out: {reason}")
            left_out[name] = str(reason)


def _pressed(gateway: Running, connections: int, seconds: float) -> Pressed:
    _, core = cores()
    asked = [str(gateway.port), gateway.path, gateway.token, str(connections), str(seconds)]
    pinned = "-" if core is None else str(core)
    command = [sys.executable, "-m", "bench.press", *asked, pinned, *gateway.headers]
    before = gateway.cpu()
    ended = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if ended.returncode:
        sys.exit(f"bench: `{' '.join(command[1:4])} …` ended with {ended.returncode}")
    told = json.loads(ended.stdout)
    used = gateway.cpu() - before
    return Pressed(told["done"] / told["seconds"], told["p50"], told["p99"], used / told["asked"])


def _rows(found: Found) -> Iterator[tuple[str, ...]]:
    for (name, places), each in sorted(found.items(), key=lambda item: (item[0][1], -item[1].rate)):
        direct, other = found[NOBODY, places], found.get((BARE, places))
        yield (
            name,
            str(places),
            f"{each.rate:,.0f}",
            f"{each.cpu:.2f}" if each.cpu else "",
            f"{each.p50:.2f}",
            f"{each.p99:.2f}",
            f"{each.p50 - direct.p50:.2f}" if name != NOBODY else "",
            f"{each.rate / other.rate:.2f}" if other is not None else "",
        )


def _targets(found: Found) -> Iterator[Target]:
    added = found[OURS, 1].p50 - found[NOBODY, 1].p50
    yield Target(f"at most {ADDED_MS} ms added at p50 with one connection", added <= ADDED_MS, f"{added:.2f} ms")
    for name, least in TIMES.items():
        for places in sorted({places for other, places in found if other == name}):
            times = found[OURS, places].rate / found[name, places].rate
            text = f"at least {least} times the requests a second of {name}, {places} connections"
            yield Target(text, times >= least, f"{times:.2f} times")
