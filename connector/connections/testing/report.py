"""What became of one case."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Checked"]


@dataclass(frozen=True, slots=True)
class Checked:
    """A case of a file, and in what it differs; nothing when it passed."""

    file: Path
    name: str
    difference: str
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        return not self.difference
