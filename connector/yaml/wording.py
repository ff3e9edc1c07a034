"""What is wrong with a text that is no YAML, in the words of somebody who wrote it."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["NO_TEXT", "SYNTAX_HINT", "unquoted", "worded"]

SYNTAX_HINT = "quote texts that start with & * @ ? % or `, and texts that hold braces or commas inside { } and [ ]"
QUOTE = 'put such a text in quotes: "…"'
NO_TEXT = "a key that is no text"
QUOTED = re.compile(r"'[^']{3,}'")
BRACES = re.compile(r"([$&@]?)(\{\{?)\s*(secrets\.|env\.)?([^{}]+)\}\}?")
"""A reference or a placeholder, of this configuration or of another platform."""
NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_.]*)\s*(?::-.*)?")
CLOSERS = {"}": "{", "]": "["}


def worded(error: Any) -> tuple[str, str]:
    """What was found, and what to do about it, for an error of the YAML library."""
    problem = " ".join(str(getattr(error, "problem", None) or getattr(error, "reason", None) or "unreadable").split())
    context = str(getattr(error, "context", None) or "")
    begun = getattr(error, "context_mark", None)
    line = f" that begins on line {begun.line + 1}" if begun else ""
    character = re.match(r"found character '(.+)' that cannot start any token", problem)
    if character:
        return _character(character[1])
    if "found a tab character" in problem or "\\t" in problem:
        return "a tab", "indent by blanks: replace the tab"
    unclosed = re.match(r"expected ',' or '([}\]])'", problem)
    if unclosed:
        closer = unclosed[1]
        allowed = f"close it with {closer}; in quotes, a text may hold braces and commas"
        return f"a {CLOSERS[closer]}{line} is not closed", allowed
    if "expected <block end>" in problem:
        column = f", here in column {begun.column + 1}" if begun else ""
        return "not indented as the lines around it", f"what belongs together begins in the same column{column}"
    if "mapping values are not allowed" in problem:
        return "a colon where none can be", f"is the line above complete, and this one indented as it? if not, {QUOTE}"
    if "quoted scalar" in context or "unexpected end of stream" in problem:
        return f"a quote{line} is not closed", "close it with the same sign, ' or \""
    if "could not find expected ':'" in problem:
        return "a key without its colon", "write NAME: VALUE"
    if "undefined alias" in problem:
        return "an alias of nothing", QUOTE
    return QUOTED.sub("…", problem), SYNTAX_HINT  # what is quoted may be a password that was not


def _character(found: str) -> tuple[str, str]:
    if found in ("\\t", "\t"):
        return "a tab at the beginning of the line", "indent by blanks: replace the tab"
    return f"a text that begins with {found}", QUOTE


def unquoted(line: str, column: int) -> tuple[str, str] | None:
    """What to write for a reference whose braces YAML takes for an object, when one stands around a column."""
    for match in BRACES.finditer(line):
        if match.start() < column <= match.end() + 1 and (match[1] or match[2] == "{{"):
            return _reference(match)
    return None


def _reference(match: re.Match[str]) -> tuple[str, str]:
    """A name alone is shown: anything else may be a secret."""
    sign, braces, prefix = match[1], match[2], match[3] or ""
    named = NAME.fullmatch(match[4])
    name = named[1] if named else "…"
    if braces == "{":
        found = f"{sign}{{{name}}} without quotes"
        return f"not YAML: {found}", f'put the whole text in quotes: "{sign}{{{name}}}"'
    found = f"{sign}{{{{{prefix}{name}}}}} without quotes, which YAML takes for an object"
    if named and (prefix or "." not in name):
        return found, f'write "${{{name}}}" for a variable of the environment; put any other text in quotes'
    return found, "put the whole text in quotes"
