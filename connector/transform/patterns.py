"""Patterns: dotted paths in which `*` stands for any key or position, and what it captured is `$1`, `$2` …"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from connector.model import JSON, is_document, is_list
from connector.transform.paths import MISSING, Segments, as_index, child, look_up, parse_path
from connector.transform.signals import Unfit

__all__ = ["Match", "Pattern", "replacement"]

CAPTURED = re.compile(r"\$([1-9][0-9]?)")


@dataclass(frozen=True, slots=True)
class Match:
    """One place a pattern leads to, what stands there, and what its stars captured."""

    path: Segments
    value: JSON
    captures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A parsed pattern."""

    segments: Segments

    @classmethod
    def parse(cls, text: str) -> Pattern:
        return cls(parse_path(text))

    @property
    def stars(self) -> int:
        return self.segments.count("*")

    @property
    def is_path(self) -> bool:
        """Whether it names one key whatever else is removed: keys stay what they are, positions of a list move up."""
        return bool(self.segments) and all(key != "*" and as_index(key) is None for key in self.segments)

    def matches(self, document: JSON) -> Iterator[Match]:
        """The places that exist, in the document's order."""
        if "*" not in self.segments:
            value = look_up(document, self.segments)
            if value is not MISSING:
                yield Match(self.segments, value, ())
            return
        yield from _matches(document, self.segments, (), ())


def _matches(node: JSON, left: Segments, path: Segments, captures: tuple[str, ...]) -> Iterator[Match]:
    if not left:
        yield Match(path, node, captures)
        return
    key, rest = left[0], left[1:]
    if key != "*":
        value = child(node, key)
        if value is not MISSING:
            yield from _matches(value, rest, (*path, key), captures)
    elif is_document(node):
        for name, value in node.items():
            yield from _matches(value, rest, (*path, name), (*captures, name))
    elif is_list(node):
        for index, value in enumerate(node):
            yield from _matches(value, rest, (*path, str(index)), (*captures, str(index)))


def replacement(text: str, stars: int) -> Callable[[tuple[str, ...]], Segments]:
    """A function from captures to the path they make in a replacement such as `products.$1.name`."""
    segments = parse_path(text)
    for number in CAPTURED.findall(text):
        if int(number) > stars:
            raise Unfit(f"${number} stands for the {number}. '*' of the pattern, which has {stars}")
    if not CAPTURED.search(text):
        return lambda _: segments

    def fill(captures: tuple[str, ...]) -> Segments:
        # One pass: what a capture holds is a key, whatever it looks like.
        return tuple(CAPTURED.sub(lambda found: captures[int(found[1]) - 1], segment) for segment in segments)

    return fill
