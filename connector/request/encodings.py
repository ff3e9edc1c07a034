"""How a secret may be written: as it is, and as JSON, URLs, HTML, base64 and hexadecimal write it."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence

__all__ = ["pattern_of"]

Signs = tuple[str, ...]
"""A text as the patterns of its characters."""
UNCHANGED = re.compile(r"[A-Za-z0-9_.-]")
"""Characters that no encoding writes differently, but for those that write all of them differently."""
NAMED = {'"': "quot", "'": "apos", "<": "lt", ">": "gt", "&": "amp", "/": "sol", "+": "plus", "=": "equals"}
ESCAPED = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f"}
DEEPEST = 40
"""Levels of a pattern; texts that have still more beginnings in common stand side by side."""


def pattern_of(secrets: Iterable[str]) -> re.Pattern[str]:
    """Return what finds any of these secrets in a text, whoever encoded it and however often.

    The patterns share their beginnings, so that a thousand of them take hardly longer to look for than one.
    """
    forms = {form for secret in secrets for form in _forms(secret)}
    return re.compile(_shared(sorted(forms, key=len, reverse=True), 0))


def _shared(forms: Sequence[Signs], depth: int) -> str:
    """Return the pattern of some forms, the longest first."""
    if len(forms) == 1 or depth > DEEPEST:
        return f"(?:{'|'.join(''.join(form) for form in forms)})"
    groups: dict[str, list[Signs]] = {}
    for form in forms:
        groups.setdefault(form[0] if form else "", []).append(form)
    return f"(?:{'|'.join(_group(group, depth) for group in groups.values())})"


def _group(forms: list[Signs], depth: int) -> str:
    """Return the pattern of forms that begin alike."""
    if len(forms) == 1:
        return "".join(forms[0])
    shortest = min(len(form) for form in forms)
    same = next((at for at in range(shortest) if any(form[at] != forms[0][at] for form in forms)), shortest)
    return "".join(forms[0][:same]) + _shared([form[same:] for form in forms], depth + 1)


def _forms(secret: str) -> Iterator[Signs]:
    data = secret.encode(errors="surrogatepass")
    yield tuple(map(_sign, secret))
    yield tuple(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in data.hex())
    for lead in range(3):
        yield tuple(_sign_of_base64(letter) for letter in _within_base64(data, lead))


def _within_base64(secret: bytes, lead: int) -> str:
    """Return the characters that depend on the secret alone when it stands `lead` bytes into a base64 text."""
    encoded = b64encode(bytes(lead) + secret).decode()
    return encoded[-(-lead * 8 // 6) : (lead + len(secret)) * 8 // 6]


def _sign_of_base64(letter: str) -> str:
    other = {"+": "-", "/": "_"}.get(letter)
    return f"(?:{other}|{_sign(letter)})" if other else letter


def _sign(letter: str) -> str:
    """Return the pattern of one character in all its spellings."""
    if UNCHANGED.fullmatch(letter):
        return re.escape(letter)
    return f"(?:{'|'.join(dict.fromkeys(_spellings(letter)))})"


def _spellings(letter: str) -> Iterator[str]:
    data = letter.encode(errors="surrogatepass")
    yield r"\\{1,8}" if letter == "\\" else rf"\\{{0,8}}{re.escape(letter)}"
    yield "".join(rf"%(?:25){{0,4}}{_digits(f'{byte:02x}')}" for byte in data)
    yield rf"&(?:amp;){{0,4}}#0*(?:{ord(letter)}|[xX]0*{_digits(f'{ord(letter):x}')});"
    yield "".join(rf"\\{{1,8}}u{_digits(unit)}" for unit in _units(letter))
    for written in {data, letter.encode("latin-1", errors="ignore")}:
        yield "".join(rf"\\{{1,8}}x{_digits(f'{byte:02x}')}" for byte in written) or re.escape(letter)
    if letter in NAMED:
        yield f"&(?:amp;){{0,4}}{NAMED[letter]};"
    if letter in ESCAPED:
        yield rf"\\{{1,8}}{ESCAPED[letter]}"
    if letter == " ":
        yield r"\+"
    if not letter.isascii():
        yield re.escape(data.decode("latin-1"))


def _units(letter: str) -> list[str]:
    """Return the numbers by which JSON writes a character: two where one is not enough."""
    data = letter.encode("utf-16-be", errors="surrogatepass").hex()
    return [data[begin : begin + 4] for begin in range(0, len(data), 4)]


def _digits(number: str) -> str:
    """Return the pattern of a hexadecimal number in either case."""
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in number)
