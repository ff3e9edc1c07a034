"""A `.env` file: NAME=value lines, as shells and compose files have them, without expansion."""

from __future__ import annotations

import re

from connector.errors import ConfigurationError

__all__ = ["parse_dotenv"]

LINE = re.compile(
    r"""(?x) \s* (?:export\s+)? (?P<name>[A-Za-z_][A-Za-z0-9_.-]*) \s*=\s*
    (?: '(?P<single>[^']*)' | "(?P<double>(?:[^"\\]|\\.)*)" | (?P<plain>[^'"\s].*?)? ) \s* (?:(?<!\S)\#.*)? $"""
)
ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


def parse_dotenv(text: str, where: str) -> dict[str, str]:
    """The variables of a file; a line that is none is refused by its number, its text never shown."""
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = LINE.fullmatch(line)
        if match is None:
            raise ConfigurationError(f"{where}:{number}:1: not a variable; write NAME=value or # a comment")
        found[match["name"]] = _value(match)
    return found


def _value(match: re.Match[str]) -> str:
    if match["double"] is not None:
        return re.sub(r"\\(.)", lambda escape: ESCAPES.get(escape[1], escape[1]), match["double"])
    return match["single"] or (match["plain"] or "").strip()
