"""Dotted paths, and patterns: paths in which `*` matches any key."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeGuard

from connector.model import JSON, is_document, is_list
from connector.transform.errors import Unfit

__all__ = [
    "MISSING",
    "Match",
    "Missing",
    "Pattern",
    "Segments",
    "as_index",
    "child",
    "compile_replacement",
    "is_container",
    "look_up",
    "parse_path",
    "path_getter",
]


class Missing:
    """The type of MISSING."""

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False


MISSING: Final = Missing()
"""The result of a path that leads nowhere; null is a value."""

Segments = tuple[str, ...]
QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"(?=\.|$)')
LONGEST = 1_000
INDEX = re.compile(r"0|[1-9][0-9]{0,9}")


@lru_cache(maxsize=4096)
def parse_path(path: str) -> Segments:
    """Return the keys of a dotted path; the empty path is the document itself."""
    if len(path) > LONGEST:
        raise Unfit(f"a path of {len(path)} characters; at most {LONGEST} are allowed")
    if not path:
        return ()
    segments = _split_quoted(path) if '"' in path else path.split(".")
    if "" in segments and '""' not in path:
        raise Unfit(f"the path {path!r} has an empty part; write keys with single dots between them")
    return tuple(segments)


def _split_quoted(path: str) -> list[str]:
    segments: list[str] = []
    at = 0
    while at <= len(path):
        quoted = QUOTED.match(path, at)
        if quoted:
            segments.append(json.loads(quoted[0]))
            at = quoted.end() + 1
        else:
            end = path.find(".", at)
            end = len(path) if end < 0 else end
            segments.append(path[at:end])
            at = end + 1
    return segments


def as_index(key: str) -> int | None:
    """Return the position that a key means in a list, or None."""
    return int(key) if INDEX.fullmatch(key) else None


def is_container(value: JSON) -> TypeGuard[dict[str, JSON] | list[JSON]]:
    """Whether a value is an object or a list."""
    return isinstance(value, dict | list)


def child(node: JSON, key: str) -> JSON:
    """Return the value at a key of an object or a position of a list, or MISSING."""
    if is_document(node):
        return node.get(key, MISSING)
    if is_list(node):
        index = as_index(key)
        return node[index] if index is not None and index < len(node) else MISSING
    return MISSING


def look_up(document: JSON, path: Segments) -> JSON:
    """Return the value at a path, or MISSING."""
    for key in path:
        document = child(document, key)
    return document


def path_getter(segments: Segments) -> Callable[[JSON], JSON]:
    """Return a function from a document to the value at a path, or MISSING."""
    if not segments:
        return lambda document: document
    if len(segments) == 1:
        return _key_getter(segments[0])
    steps = [(key, as_index(key)) for key in segments]

    def walk(node: JSON) -> JSON:
        for key, index in steps:
            if node.__class__ is dict:  # faster than is_document, which asks the same of most documents
                node = node.get(key, MISSING)
            elif index is not None and node.__class__ is list and index < len(node):
                node = node[index]
            else:
                node = child(node, key)
        return node

    return walk


def _key_getter(key: str) -> Callable[[JSON], JSON]:
    def get(node: JSON) -> JSON:
        return node.get(key, MISSING) if node.__class__ is dict else child(node, key)

    return get


CAPTURED = re.compile(r"\$([1-9][0-9]?)")


@dataclass(frozen=True, slots=True)
class Match:
    """One match of a pattern: its path, its value, and what the stars captured."""

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
        """Whether it names the same key after others are removed; positions of a list would move up."""
        return bool(self.segments) and all(key != "*" and as_index(key) is None for key in self.segments)

    def matches(self, document: JSON) -> Iterator[Match]:
        """Yield the matches in the order of the document."""
        if "*" not in self.segments:
            value = look_up(document, self.segments)
            if value is not MISSING:
                yield Match(self.segments, value, ())
            return
        yield from _find_matches(document, self.segments, (), ())


def _find_matches(node: JSON, left: Segments, path: Segments, captures: tuple[str, ...]) -> Iterator[Match]:
    if not left:
        yield Match(path, node, captures)
        return
    key, rest = left[0], left[1:]
    if key != "*":
        value = child(node, key)
        if value is not MISSING:
            yield from _find_matches(value, rest, (*path, key), captures)
    elif is_document(node):
        for name, value in node.items():
            yield from _find_matches(value, rest, (*path, name), (*captures, name))
    elif is_list(node):
        for index, value in enumerate(node):
            yield from _find_matches(value, rest, (*path, str(index)), (*captures, str(index)))


def compile_replacement(text: str, stars: int) -> Callable[[tuple[str, ...]], Segments]:
    """Return a function from captures to the path that a replacement such as `products.$1.name` makes of them."""
    segments = parse_path(text)
    for number in CAPTURED.findall(text):
        if int(number) > stars:
            raise Unfit(f"${number} stands for the {number}. '*' of the pattern, which has {stars}")
    if not CAPTURED.search(text):
        return lambda _: segments

    def fill(captures: tuple[str, ...]) -> Segments:
        # One pass: a capture is a key, even if it looks like a reference.
        return tuple(CAPTURED.sub(lambda found: captures[int(found[1]) - 1], segment) for segment in segments)

    return fill
