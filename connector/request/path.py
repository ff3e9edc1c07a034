"""Fills a path template so that no value can reach another endpoint."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote, unquote

from connector.model import JSON, Fault
from connector.request.display import describe_value
from connector.suggestions import closest, did_you_mean

__all__ = ["Template", "check_segment", "fill_template", "is_traversal", "unescape"]

SAFE = "!$&'()*+,;=:@"
PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
PLAIN = re.compile(r"[A-Za-z0-9_:-]+")
MOST_ESCAPES = 8


class Template(NamedTuple):
    """A path template, cut at its placeholders: text, name, text, …, text."""

    pieces: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Template:
        return cls(tuple(PLACEHOLDER.split(text)))

    @property
    def names(self) -> tuple[str, ...]:
        return self.pieces[1::2]


def fill_template(template: Template, values: Mapping[str, JSON]) -> tuple[str, list[Fault]]:
    """Return the encoded path, and what is wrong with the values; the path is only of use without faults."""
    faults: list[Fault] = []
    pieces = list(template.pieces)
    for index in range(1, len(pieces), 2):
        text, fault = _format_value(pieces[index], values)
        pieces[index] = text if PLAIN.fullmatch(text) else quote(text, safe=SAFE, errors="replace")
        if fault:
            faults.append(fault)
    if len(values) > len(template.names) or faults:
        faults += [_report_unknown(name, template.names) for name in values if name not in template.names]
    return "".join(pieces), faults


def _format_value(name: str, values: Mapping[str, JSON]) -> tuple[str, Fault | None]:
    where = f"path.{name}"
    if name not in values:
        return "", Fault(where, "missing", "this operation needs it in its path")
    value = values[name]
    if isinstance(value, bool):
        return str(value).lower(), None
    if isinstance(value, int) or (isinstance(value, float) and value == value and abs(value) != float("inf")):
        return str(value), None
    if not isinstance(value, str):
        return "", Fault(where, f"found {describe_value(value)}", "text, a number or a boolean is allowed")
    fault = check_segment(value)
    return value, Fault(where, *fault) if fault else None


def check_segment(text: str) -> tuple[str, str] | None:
    """Return what was found and what is allowed, when a text must not be in a path; None when it may."""
    if PLAIN.fullmatch(text):
        return None
    if not text:
        return "empty", "at least one character is needed"
    if CONTROL.search(text):
        return "holds a control character", "printable text is allowed"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "holds a lone surrogate", "only text that UTF-8 can hold is allowed"
    return _check_dots(text)


def _check_dots(text: str) -> tuple[str, str] | None:
    if is_traversal(text):
        return f"is {text[:40]!r}, which climbs out of its place", "a name without the segments '.' and '..' is allowed"
    return None


def is_traversal(text: str) -> bool:
    """Return whether a path, or a name in one, has a segment that some server takes for a way out of its place."""
    # Servers and proxies on the way may decode %2F or %2e, each of them once: what is `..` to any of them is refused.
    # A lone `%2e` cannot climb, and goes out as %252e.
    # Some take what follows `;` for a parameter of the segment, and look at the rest alone.
    pieces = [piece.partition(";")[0] for piece in re.split(r"[/\\]", unescape(text))]
    return text.partition(";")[0] == "." or ".." in pieces or (len(pieces) > 1 and "." in pieces)


def unescape(text: str) -> str:
    """Return the text without its escapes, and without those that they hide."""
    for _ in range(MOST_ESCAPES):
        plain = unquote(text, errors="replace")
        if plain == text:
            break
        text = plain
    return text


def _report_unknown(name: str, names: tuple[str, ...]) -> Fault:
    allowed = f"the path takes {', '.join(names)}" if names else "the path takes no parameters"
    return Fault(f"path.{name}", "unknown parameter", allowed, did_you_mean(closest(name, names)))
