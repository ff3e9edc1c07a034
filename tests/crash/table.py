"""The one table that a run of the harness ends with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["Row", "table"]

HEAD = ("scenario", "kills", "tasks", "lost", "paid twice", "told twice", "unknown", "recovery s (most)")


@dataclass(frozen=True, slots=True)
class Row:
    """What came of one scenario.

    Attributes:
        twice: effects too many that nobody was told of.
        repeated: effects too many that were allowed, and told.
        recoveries: seconds from each kill to the next request.
    """

    scenario: str
    kills: int
    tasks: int
    lost: int
    twice: int
    repeated: int
    unknown: int
    recoveries: Sequence[float] = ()
    breaches: Sequence[str] = field(default_factory=list[str])

    def cells(self) -> tuple[str, ...]:
        numbers = (self.kills, self.tasks, self.lost, self.twice, self.repeated, self.unknown)
        times = sorted(self.recoveries)
        recovery = f"{times[len(times) // 2]:.2f} ({times[-1]:.2f})" if times else "-"
        return (self.scenario, *map(str, numbers), recovery)


def table(rows: Sequence[Row]) -> str:
    """All rows below their head, the numbers to the right."""
    cells = [HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEAD))]
    return "\n".join(
        "  ".join(text.ljust(width) if not column else text.rjust(width) for column, (text, width) in enumerate(pairs))
        for pairs in (list(zip(line, widths, strict=True)) for line in cells)
    )
