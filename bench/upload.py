"""Memory and time of uploading a large file, which is streamed or is not."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from bench.measure import Figures, measure, serving
from bench.peers import BARE, NAMES, OURS, SDK
from bench.reading import notes
from bench.scale import Scale
from bench.table import Section, Target

__all__ = ["run"]

PEERS = (OURS, BARE, "httpx_stock", SDK, "sdk_sync")
MOST = 128e6
HEAD = ("peer", "peak MB", "seconds", "MB/s", "CPU s")


def run(scale: Scale) -> Section:
    with serving() as base, TemporaryDirectory() as folder:
        sparse = Path(folder) / "lines.jsonl"
        _make(sparse, scale.upload)
        found = measure(PEERS, "upload", base, scale.rounds, "--file", str(sparse))
    how = (
        f"POST /v1/files, a sparse file of {scale.upload / 1e6:,.0f} MB to a server that counts and drops; "
        f"median of {scale.rounds} rounds, the highest peak of resident memory."
    )
    rows = [_row(peer, figures, scale.upload) for peer, figures in found.items()]
    return Section("upload", HEAD, rows, _targets(found), (how, *notes(found)))


def _make(sparse: Path, size: int) -> None:
    """A file of holes, read through once: the first reader would pay several seconds for filling the page cache."""
    with sparse.open("wb") as file:
        file.truncate(size)
    with sparse.open("rb") as file:
        while file.read(1 << 20):
            pass


def _row(peer: str, figures: Figures, size: int) -> tuple[str, ...]:
    return (
        NAMES[peer],
        f"{figures.peak / 1e6:.0f}",
        f"{figures.seconds:.2f}",
        f"{figures.rate / 1e6:,.0f}",
        f"{figures.cpu * size:.2f}",
    )


def _targets(found: dict[str, Figures]) -> list[Target]:
    if OURS not in found:
        return []
    peak = found[OURS].peak
    return [Target("peak under 128 MB", peak < MOST, f"{peak / 1e6:.0f} MB")]
