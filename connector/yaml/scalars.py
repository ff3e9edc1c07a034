"""One scalar of YAML as a JSON value."""

from __future__ import annotations

import re

from connector.documents import HIGHEST, LOWEST
from connector.model import JSON

__all__ = ["TAG", "UNKNOWN_TAG", "NoValue", "scalar"]

TAG = "tag:yaml.org,2002:"
UNKNOWN_TAG = ("an unknown tag", "write the value without it; text that begins with ! stands in quotes")
"""Without the tag itself, which may be a password that nobody quoted."""
MOST_DIGITS = 400
"""Digits of the longest integer that is looked at; Python itself refuses a few thousand."""
INTEGER = re.compile(r"[+-]?(0x[0-9a-f]+|0o[0-7]+|0b[01]+|[0-9]+)")


class NoValue(Exception):
    """A scalar that is no JSON value: what was found, and what is allowed."""

    def __init__(self, found: str, allowed: str) -> None:
        self.found = found
        self.allowed = allowed
        super().__init__(found)


def scalar(tag: str, text: str, *, any_integer: bool) -> JSON:
    """Return the value of a scalar with a tag; NoValue when it has none."""
    kind = tag.removeprefix(TAG)
    if kind in ("str", "timestamp"):  # a date is text, as YAML 1.2 has it
        return _checked(_whole(text))
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() in ("true", "yes", "on")
    if kind == "int":
        return _integer(text.lower().replace("_", ""), any_integer=any_integer)
    if kind == "float":
        return _float(text.lower().replace("_", ""))
    raise NoValue(*UNKNOWN_TAG)


def _whole(text: str) -> str:
    """Return a text in which JSON's escapes for the two halves of a letter are the letter."""
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    return text


def _checked(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _unfit() from None
    if "\0" in text:
        raise _unfit()
    return text


def _unfit() -> NoValue:
    return NoValue("a lone surrogate or NUL", "only text that UTF-8 can hold, without NUL, is accepted")


def _integer(text: str, *, any_integer: bool) -> int:
    if not INTEGER.fullmatch(text):
        raise NoValue("no integer", "write digits, or put it in quotes as text")
    if len(text) > MOST_DIGITS:
        raise _beyond()
    number = int(text, 0) if re.match(r"[+-]?0[xob]", text) else int(text)
    if not any_integer and not LOWEST <= number <= HIGHEST:
        raise _beyond()
    return number


def _beyond() -> NoValue:
    return NoValue("an integer beyond 64 bits", "write it as text, in quotes")


def _float(text: str) -> float:
    try:
        number = float(text.replace(".inf", "inf").replace(".nan", "nan"))
    except ValueError:
        raise NoValue("no number", "write a decimal number, or put it in quotes as text") from None
    if number != number or abs(number) == float("inf"):
        raise NoValue("not a finite number", "JSON has no infinity and no NaN")
    return number
