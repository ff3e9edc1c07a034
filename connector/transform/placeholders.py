"""Text with placeholders: where each begins and ends, and how values are written inside text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from connector.model import JSON
from connector.transform.errors import Unfit

__all__ = ["Placeholder", "escape", "has_placeholder", "scan", "to_text"]

OPENING = re.compile(r"(?<!\\)(\\*)([&?@])\{")
INSIDE = re.compile(r"""[{}]|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`""", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Placeholder:
    """`&{body}`, `?{body}` or `@{body}` as a text holds it."""

    sign: str
    body: str

    def __str__(self) -> str:
        return f"{self.sign}{{{self.body}}}"


def scan(text: str) -> Iterator[str | Placeholder]:
    """Yield the literal parts and the placeholders of a text in order."""
    at = 0
    literal = ""
    for opening in OPENING.finditer(text):
        if opening.start() < at:
            continue
        slashes = len(opening[1])
        literal += text[at : opening.start()] + "\\" * (slashes // 2)
        if slashes % 2:
            literal += opening[0][slashes:]
            at = opening.end()
            continue
        end = _find_closing(text, opening.end())
        if literal:
            yield literal
            literal = ""
        yield Placeholder(opening[2], text[opening.end() : end].strip())
        at = end + 1
    literal += text[at:]
    if literal:
        yield literal


def _find_closing(text: str, start: int) -> int:
    """Return the position of the closing brace; quotes and inner braces are passed over."""
    depth = 1
    for found in INSIDE.finditer(text, start):
        depth += {"{": 1, "}": -1}.get(found[0], 0)
        if not depth:
            return found.start()
    shown = text[start - 2 : start + 28]
    raise Unfit(f"the placeholder that begins {shown!r} is not closed; write \\{shown[:2]} for the text itself")


def has_placeholder(text: str) -> bool:
    """Whether a text has a placeholder, or an escaped one."""
    return OPENING.search(text) is not None


def escape(text: str) -> str:
    """Return the template that yields exactly this text."""
    return OPENING.sub(lambda found: found[1] * 2 + "\\" + found[0][len(found[1]) :], text)


def to_text(value: JSON) -> str:
    """Return a value as it is written inside text: JSON, but text without quotes, and nothing for null."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if type(value) is int:
        return str(value)
    try:
        return orjson.dumps(value).decode()
    except TypeError as error:
        raise Unfit(f"a value that is not JSON cannot become text: {str(error).lower()}") from None
