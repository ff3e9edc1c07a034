"""Write values as readable YAML: short ones on a line, long texts as blocks, comments in their place."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from connector.model import JSON, is_list, is_object

__all__ = ["Commented", "Layout", "comment", "format_flow", "format_yaml"]

WIDTH = 110
DEEPEST = 3
"""The number of levels that fit on one line."""
URL = r"[a-z][a-z0-9+]*://[\w.-]*(?::\d+)?(?:/[\w/.@+-]*)?"
PLAIN = re.compile(rf"{URL}|(?!-?[.\d])[A-Za-z0-9_/][\w/.@+-]*(?: [\w/.@+()-]+)*", re.ASCII)
WORDS = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"))
"""Texts that some reader of YAML takes for something else."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a value is laid out.

    Attributes:
        step: by how much the members of an object are indented.
        width: how long a line with an object or a list in it may be; with 0, each member has a line of its own.
    """

    step: int = 2
    width: int = WIDTH


LAYOUT = Layout()


class Commented(dict[str, JSON]):
    """An object with a comment, and with how many uses of which prototypes became part of it."""

    def __init__(self, value: dict[str, JSON], note: str = "", uses: Mapping[str, int] | None = None) -> None:
        super().__init__(value)
        self.note = note
        self.uses = uses


def comment(text: str, indent: int = 0) -> Iterator[str]:
    """Yield a text as lines of comment."""
    for line in text.replace("\r\n", "\n").strip().splitlines():
        yield f"{' ' * indent}# {_printable(line)}".rstrip()


def _printable(line: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in line).rstrip()


def format_yaml(value: JSON, indent: int = 0, layout: Layout = LAYOUT) -> Iterator[str]:
    """Yield a value as lines of YAML in block style; what is short stands on a line."""
    if is_object(value) and value:
        for key, item in value.items():
            yield from _member(f"{' ' * indent}{_scalar(key)}:", item, indent + layout.step, layout)
    elif is_list(value) and value:
        for item in value:
            if isinstance(item, Commented) and item.note:
                yield from comment(item.note, indent)
            yield from _item(item, indent, layout)
    else:
        yield f"{' ' * indent}{format_flow(value)}"


def _member(opening: str, value: JSON, indent: int, layout: Layout) -> Iterator[str]:
    if (block := _block_text(value, indent)) is not None:
        yield f"{opening} {block[0]}"
        yield from block[1:]
    elif _fits(value, len(opening) + 1, layout.width):
        yield f"{opening} {format_flow(value)}"
    else:
        yield opening
        yield from format_yaml(value, indent, layout)


def _item(value: JSON, indent: int, layout: Layout) -> Iterator[str]:
    opening = f"{' ' * indent}-"
    block = _block_text(value, indent + 2)
    if block is not None or not _container(value):
        yield from _member(opening, value, indent + 2, layout)
    elif (is_list(value) or len(value) > 1) and _fits(value, len(opening) + 1, layout.width):
        yield f"{opening} {format_flow(value)}"
    else:
        first, *rest = format_yaml(value, indent + 2, layout)
        # What begins with a comment has no place beside the dash.
        if first.lstrip().startswith("#"):
            yield opening
            yield first
        else:
            yield f"{opening} {first.lstrip()}"
        yield from rest


def _block_text(value: JSON, indent: int) -> list[str] | None:
    """Return a text of several lines as a literal block; None when it cannot be one."""
    if not isinstance(value, str) or "\n" not in value.rstrip("\n") or value[0] in " \n\t":
        return None
    if not all(letter.isprintable() or letter == "\n" for letter in value):
        return None
    body, ends = value.rstrip("\n"), len(value) - len(value.rstrip("\n"))
    if ends > 1 or any(line != line.rstrip() for line in body.split("\n")):
        return None
    return ["|" if ends else "|-", *(f"{' ' * indent}{line}".rstrip() for line in body.split("\n"))]


def _fits(value: JSON, used: int, width: int) -> bool:
    if not _container(value):
        return True
    return _depth(value) <= DEEPEST and not _has_comment(value) and used + len(format_flow(value)) <= width


def _container(value: JSON) -> bool:
    return (is_object(value) or is_list(value)) and len(value) > 0


def _children(value: JSON) -> list[JSON]:
    return list(value.values()) if is_object(value) else list(value) if is_list(value) else []


def _depth(value: JSON) -> int:
    return 1 + max(map(_depth, _children(value)), default=0) if _container(value) else 0


def _has_comment(value: JSON) -> bool:
    return (isinstance(value, Commented) and bool(value.note)) or any(map(_has_comment, _children(value)))


def format_flow(value: JSON) -> str:
    """Return a value as YAML on one line."""
    if is_object(value):
        return "{" + ", ".join(f"{_scalar(key)}: {format_flow(item)}" for key, item in value.items()) + "}"
    if is_list(value):
        return "[" + ", ".join(map(format_flow, value)) + "]"
    return _scalar(value)


def _scalar(value: JSON) -> str:
    if not isinstance(value, str):
        return _number(value) if isinstance(value, float) else json.dumps(value)
    if PLAIN.fullmatch(value) and value.lower() not in WORDS and len(value) < WIDTH:
        return value
    if value.isprintable() and ("\\" in value or '"' in value):
        return "'" + value.replace("'", "''") + "'"
    return _quote(value)


def _number(value: float) -> str:
    """Return a number with its point: YAML needs one before an exponent, and a sign after it."""
    text = json.dumps(value)
    mantissa, e, exponent = text.partition("e")
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}e{exponent}" if e else text


def _quote(value: str) -> str:
    """Return a text in JSON's quotes, which are YAML's, with letters that do not print escaped."""
    text = json.dumps(value, ensure_ascii=False)
    return "".join(letter if letter.isprintable() else _escape(letter) for letter in text)


def _escape(letter: str) -> str:
    code = ord(letter)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
