"""What a process uses over time, and whether that grows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import linear_regression

__all__ = ["KINDS", "Sample", "Trend", "find_trends", "take_sample"]

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Kind:
    """Something that a process uses.

    Attributes:
        name: as it is printed, with its unit.
        slack: how much it may rise in the second half of the time in any case.
        part: how much more, as a part of what it was.
    """

    name: str
    slack: float
    part: float


KINDS = {
    "memory": Kind("memory, MiB", 4.0, 0.05),
    "descriptors": Kind("descriptors", 6.0, 0.1),
    "threads": Kind("threads", 3.0, 0.1),
    "database": Kind("database, MiB", 2.0, 0.1),
}


@dataclass(frozen=True, slots=True)
class Sample:
    """What a process uses at a moment, in the units of KINDS."""

    seconds: float
    memory: float
    descriptors: float
    threads: float
    database: float


@dataclass(frozen=True, slots=True)
class Trend:
    """How one thing went in the second half of the time, when everything is warm.

    Attributes:
        kind: what it is.
        usual: what the line through the samples begins with.
        rise: by how much that line rises, to the end.
        hourly: its slope.
    """

    kind: Kind
    usual: float
    rise: float
    hourly: float

    @property
    def most(self) -> float:
        """How much it may rise to be called flat."""
        return self.kind.slack + self.kind.part * self.usual

    @property
    def is_flat(self) -> bool:
        return self.rise <= self.most


def take_sample(pid: int, folder: Path, seconds: float) -> Sample:
    """Return what a process uses now, with the databases in its folder."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return Sample(
        seconds=seconds,
        memory=int(fields["VmRSS"].split()[0]) / 1024,
        descriptors=sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir()),
        threads=int(fields["Threads"]),
        database=sum(_size(file) for file in folder.glob("*.db*")) / MIB,
    )


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:  # a log of the database that was just taken away
        return 0


def find_trends(samples: Sequence[Sample]) -> Iterator[Trend]:
    """Yield the trend of each kind over the second half of the samples; none for a single sample."""
    late = samples[len(samples) // 2 :]
    if len(late) < 2:  # the process ended at once, which is told apart
        return
    times = [sample.seconds for sample in late]
    for name, kind in KINDS.items():
        line = linear_regression(times, [getattr(sample, name) for sample in late])
        usual = line.intercept + line.slope * times[0]
        yield Trend(kind, usual, line.slope * (times[-1] - times[0]), line.slope * 3600)
