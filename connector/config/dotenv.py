"""A `.env` file: NAME=value lines, as shells and compose files have them, without expansion."""

from __future__ import annotations

import re

__all__ = ["parse_dotenv"]

LINE = re.compile(
    r"""(?x) \s* (?:export\s+)? (?P<name>[A-Za-z_][A-Za-z0-9_.-]*) \s*=\s*
    (?: '(?P<single>[^']*)' | "(?P<double>(?:[^"\\]|\\.)*)" | (?P<plain>[^'"\s].*?)? ) \s* (?:(?<!\S)\#.*)? $"""
)
ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


def parse_dotenv(text: str) -> tuple[dict[str, str], list[int]]:
    """The variables of a file, and the numbers of the lines that are neither a variable nor a comment."""
    found: dict[str, str] = {}
    wrong: list[int] = []
    for number, line in enumerate(text.splitlines(), start=1):
        match = LINE.fullmatch(line)
        if match is not None:
            found[match["name"]] = _value(match)
        elif line.strip() and not line.lstrip().startswith("#"):
            wrong.append(number)
    return found, wrong


def _value(match: re.Match[str]) -> str:
    if match["double"] is not None:
        return re.sub(r"\\(.)", lambda escape: ESCAPES.get(escape[1], escape[1]), match["double"])
    return match["single"] or (match["plain"] or "").strip()
