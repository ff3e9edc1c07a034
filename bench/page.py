"""The page that keeps the last figures: each part's table stands between two comments of its name."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["NoPlace", "put"]


class NoPlace(Exception):
    """The page does not say where a part's table belongs."""


def put(page: Path, part: str, text: str) -> None:
    """Replace what stands between `<!-- bench: PART -->` and `<!-- end -->`."""
    marked = re.compile(rf"(<!-- bench: {part} -->\n).*?(<!-- end -->)", re.DOTALL)
    found, places = marked.subn(lambda m: f"{m[1]}{text}{m[2]}", page.read_text(encoding="utf-8"))
    if places != 1:
        raise NoPlace(f"{page}: found {places} places for {part}; one `<!-- bench: {part} -->` … `<!-- end -->` is due")
    page.write_text(found, encoding="utf-8")
