"""What an attempt has decided so far, until all of it is committed at once."""

from __future__ import annotations

from dataclasses import dataclass, field

from connector.engine import Change, Line, NewTask, Settlement
from connector.model import JSON

__all__ = ["Draft"]


@dataclass(slots=True)
class Draft:
    """Follow-up tasks, lines of files and small values that go with a task's end."""

    accept: list[NewTask] = field(default_factory=list[NewTask])
    lines: list[Line] = field(default_factory=list[Line])
    records: dict[tuple[str, str], JSON] = field(default_factory=dict[tuple[str, str], JSON])

    def change(self, calls: Change, settled: Settlement) -> Change:
        """Everything, with what was seen of calls and where the task stands."""
        return Change(
            accept=self.accept,
            intend=calls.intend,
            end=calls.end,
            settle=[settled],
            records=self.records,
            lines=self.lines,
            spent=calls.spent,
        )
