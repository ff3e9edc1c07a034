"""Requests a second and CPU a request: chat completions at 1, 32 and 256 in flight."""

from __future__ import annotations

from bench.measure import Figures, Found, measure, serving
from bench.peers import ALONE, BARE, NAMES, OURS, SDK
from bench.reading import notes, ratio
from bench.scale import Scale
from bench.table import Section, Target

__all__ = ["run"]

HEAD = ("peer", "in flight", "requests/s", "CPU ms a request", "/ bare", "/ SDK async", "failed")


def run(scale: Scale) -> Section:
    rounds, seconds = scale.rounds, scale.seconds
    with serving() as base:
        found = {
            places: measure(NAMES, "calls", base, rounds, "--in-flight", str(places), "--seconds", str(seconds))
            for places in scale.in_flight
        }
    rows = [_row(places, peer, figures) for places, figures in found.items() for peer in figures]
    how = f"POST /v1/chat/completions, about 1 kB each way; median of {rounds} rounds of {seconds:g} s."
    return Section("calls", HEAD, rows, _targets(found), (how, *notes(*found.values())))


def _row(places: int, peer: str, found: dict[str, Figures]) -> tuple[str, ...]:
    figures = found[peer]
    return (
        NAMES[peer],
        str(places),
        f"{figures.rate:,.0f}",
        f"{figures.cpu * 1000:.2f}",
        ratio(found, peer, BARE),
        ratio(found, peer, SDK),
        str(figures.failed or ""),
    )


def _targets(found: dict[int, Found]) -> list[Target]:
    targets = []
    for places, figures in found.items():
        if OURS in figures and BARE in figures:
            part = figures[OURS].rate / figures[BARE].rate
            text = f"at least 80 % of bare httpx + httpx-aiohttp at {places} in flight"
            targets.append(Target(text, part >= 0.8, f"{part:.0%}"))
        if OURS in figures and ALONE in figures and places > 1:
            part = figures[OURS].rate / figures[ALONE].rate
            targets.append(Target(f"at least 85 % of aiohttp alone at {places} in flight", part >= 0.85, f"{part:.0%}"))
    most = found[max(found)]
    if OURS in most and SDK in most:
        times = most[OURS].rate / most[SDK].rate
        text = f"at least 4 times the SDK (async) at {max(found)} in flight"
        targets.append(Target(text, times >= 4, f"{times:.1f} times"))
    return targets
