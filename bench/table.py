"""A result as Markdown that is a table on the terminal too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["Section", "Target"]


@dataclass(frozen=True)
class Target:
    """What was to be reached, and what was."""

    text: str
    reached: bool
    found: str


@dataclass(frozen=True)
class Section:
    """One part of the bench: a table, its targets, and what one must know to read them."""

    name: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    targets: Sequence[Target] = ()
    notes: Sequence[str] = field(default_factory=tuple)

    def markdown(self) -> str:
        """The table, then the targets, then the notes."""
        parts = [_table(self.head, self.rows)]
        if self.targets:
            parts.append(_table(("to reach", "found", ""), [_verdict(target) for target in self.targets]))
        return "\n\n".join([*parts, *self.notes]) + "\n"


def _verdict(target: Target) -> tuple[str, str, str]:
    return target.text, target.found, "reached" if target.reached else "missed"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    rule = [("-" if column == 0 else "-:").rjust(width, "-") for column, width in enumerate(widths)]
    return "\n".join(f"| {' | '.join(_cells(row, widths))} |" for row in (head, rule, *rows))


def _cells(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [
        cell.ljust(width) if column == 0 else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
