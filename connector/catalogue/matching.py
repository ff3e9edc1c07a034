"""From a method and a path as it goes on the wire to an operation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import parse_qsl, unquote

__all__ = ["Matcher"]

VERSION = re.compile(r"/v\d+(?=/)")
Template = tuple[int, str, str, dict[str, str]]
"""Place in the catalogue, method, template, fixed query."""


class Matcher:
    """Every template of a catalogue, by method and number of segments, literal segments before parameters."""

    def __init__(self, templates: Iterable[Template]) -> None:
        self._by_shape: dict[tuple[str, int], list[tuple[Sequence[str], dict[str, str], int]]] = {}
        for place, method, template, fixed in templates:
            parts = template.split("/")
            self._by_shape.setdefault((method, len(parts)), []).append((parts, fixed, place))
        for candidates in self._by_shape.values():
            candidates.sort(key=lambda one: ([part.startswith("{") for part in one[0]], -len(one[1])))

    def match(self, method: str, path: str) -> tuple[int, dict[str, str]] | None:
        """The place of the operation that a path (with or without version and query) belongs to, and its values."""
        path, _, text = path.partition("?")
        query = dict(parse_qsl(text, keep_blank_values=True))
        for candidate in dict.fromkeys((path, VERSION.sub("", path, count=1))):
            if found := self._match(method.upper(), candidate.split("/"), query):
                return found
        return None

    def _match(self, method: str, parts: list[str], query: dict[str, str]) -> tuple[int, dict[str, str]] | None:
        for template, fixed, place in self._by_shape.get((method, len(parts)), ()):
            if fixed.items() <= query.items():
                values = _values(template, parts)
                if values is not None:
                    return place, values
        return None


def _values(template: Sequence[str], parts: Sequence[str]) -> dict[str, str] | None:
    values: dict[str, str] = {}
    for wanted, part in zip(template, parts, strict=True):
        if wanted.startswith("{"):
            if not part:
                return None
            values[wanted[1:-1]] = unquote(part)
        elif wanted != part:
            return None
    return values
