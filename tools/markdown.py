"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable

Row = Iterable[str]


def table(columns: Row, rows: Iterable[Row]) -> str:
    lines = [columns, ["---" for _ in columns], *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
