"""The words of an expression, each with the place where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from connector.errors import ConnectorError

__all__ = ["FeelFault", "Token", "read_tokens"]

LONGEST = 20_000
PATTERN = re.compile(
    r"(?P<blank>[\s\u00a0]+|//[^\n]*|/\*.*?\*/)"
    r"|(?P<number>\d+(?:\.\d+)?|\.\d+)"
    r'|(?P<duration>@"[^"\n]*")'
    r'|(?P<string>"(?:[^"\\]|\\.)*")'
    r"|(?P<name>[A-Za-z_?\u00c0-\uffff][\w?\u00c0-\uffff]*|`[^`\n]+`)"
    r"|(?P<sign>\*\*|->|\.\.|!=|<=|>=|[-+*/=<>(){}\[\],.:])",
    re.DOTALL,
)
ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{6}|[^uU])|\\")
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "'": "'", "\\": "\\", "/": "/", "b": "\b", "f": "\f"}
Kind = Literal["number", "string", "duration", "name", "sign", "end"]


class FeelFault(ConnectorError):
    """An expression that cannot be understood or evaluated here, with the place of what is wrong.

    Args:
        text: the expression.
        at: the place in it, from 0.
    """

    def __init__(self, text: str, at: int, found: str, advice: str = "") -> None:
        line = text.count("\n", 0, at) + 1
        column = at - (text.rfind("\n", 0, at) + 1) + 1
        place = f"column {column}" if "\n" not in text else f"line {line}, column {column}"
        super().__init__(f"{place}: {found}{f'; {advice}' if advice else ''}")


@dataclass(frozen=True, slots=True)
class Token:
    """One word."""

    kind: Kind
    text: str
    at: int

    @property
    def shown(self) -> str:
        return "the end" if self.kind == "end" else repr(self.text[:40])


def read_tokens(text: str) -> Iterator[Token]:
    """Yield the words of an expression; FeelFault at the first that is none."""
    if len(text) > LONGEST:
        raise FeelFault(text, LONGEST, f"{len(text):,} characters", f"up to {LONGEST:,} are allowed")
    at = 0
    while at < len(text):
        found = PATTERN.match(text, at)
        if found is None:
            what = "a text that does not end" if text[at] == '"' else f"{text[at]!r}"
            raise FeelFault(
                text, at, what, "texts stand in double quotes, and end with them" if text[at] in "\"'" else ""
            )
        kind, word = found.lastgroup, found[0]
        if kind == "string":
            yield Token("string", _unescape(text, at, word[1:-1]), at)
        elif kind == "duration":
            yield Token("duration", word[2:-1], at)
        elif kind in ("number", "name", "sign"):
            yield Token(kind, word.strip("`"), at)  # type: ignore[arg-type]  # one of the kinds
        at = found.end()
    yield Token("end", "", len(text))


def _unescape(text: str, at: int, inner: str) -> str:
    def one(found: re.Match[str]) -> str:
        code = found[1] or ""
        if code[:1] in ("u", "U"):
            return chr(int(code[1:], 16)) if int(code[1:], 16) <= 0x10FFFF else "\ufffd"
        if code not in ESCAPES:
            raise FeelFault(
                text, at + 1 + found.start(), f"the escape \\{code}", '\\n, \\t, \\", \\\\ and \\uXXXX are known'
            )
        return ESCAPES[code]

    return ESCAPE.sub(one, inner).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
