"""What every table says about its figures: ratios, how far the rounds lie apart, versions, who is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench.measure import Figures, Found
from bench.peers import NAMES

__all__ = ["notes", "ratio"]


def ratio(found: Mapping[str, Figures], peer: str, other: str) -> str:
    """This peer's rate over another's, when both were measured."""
    return f"{found[peer].rate / found[other].rate:.2f}" if other in found else "-"


def notes(*founds: Found) -> tuple[str, ...]:
    """How sure one can be of these figures, what was measured and what was not."""
    every = [figures for found in founds for figures in found.values()]
    left_out = {peer: reason for found in founds for peer, reason in found.left_out.items()}
    missing = [f"{NAMES[peer]} was left out: {reason}" for peer, reason in left_out.items()]
    return (_spread(every), _versions(every), *missing) if every else tuple(missing)


def _spread(every: Sequence[Figures]) -> str:
    apart = max(figures.spread for figures in every)
    busy = max(figures.server for figures in every)
    return f"Rounds lie up to {apart:.0%} of the median apart; the server was busy up to {busy:.0%} of the time."


def _versions(every: Sequence[Figures]) -> str:
    pairs = {pair for figures in every for pair in figures.versions.items()}
    return f"Versions: {', '.join(f'{name} {release}' for name, release in sorted(pairs))}."
