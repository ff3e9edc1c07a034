"""Entities a second: a list of 100,000 files, read page after page."""

from __future__ import annotations

from bench.exchange import ENTITIES, PAGE
from bench.measure import Figures, measure, serving
from bench.peers import BARE, NAMES, OURS, SDK
from bench.reading import notes, ratio
from bench.scale import Scale
from bench.table import Section, Target

__all__ = ["run"]

PEERS = (OURS, BARE, "httpx_stock", SDK, "sdk_sync")
HEAD = ("peer", "entities/s", "seconds", "CPU µs an entity", "peak MB", "/ bare", "/ SDK async")


def run(scale: Scale) -> Section:
    with serving() as base:
        found = measure(PEERS, "listing", base, scale.rounds)
    how = (
        f"GET /v1/files, {ENTITIES:,} entities in {ENTITIES // PAGE:,} pages, each waiting for the one before; "
        f"median of {scale.rounds} rounds."
    )
    return Section("listing", HEAD, [_row(peer, found) for peer in found], _targets(found), (how, *notes(found)))


def _row(peer: str, found: dict[str, Figures]) -> tuple[str, ...]:
    figures = found[peer]
    return (
        NAMES[peer],
        f"{figures.rate:,.0f}",
        f"{figures.seconds:.2f}",
        f"{figures.cpu * 1e6:.1f}",
        f"{figures.peak / 1e6:.0f}",
        ratio(found, peer, BARE),
        ratio(found, peer, SDK),
    )


def _targets(found: dict[str, Figures]) -> list[Target]:
    if OURS not in found or BARE not in found:
        return []
    part = found[OURS].rate / found[BARE].rate
    return [Target("at least 80 % of bare httpx + httpx-aiohttp", part >= 0.8, f"{part:.0%}")]
