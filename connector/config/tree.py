"""A configuration as plain values: each with its path in the document and its place in a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from connector.config.findings import Finding, Path, Place, path_text
from connector.model import JSON, Fault, is_list, is_object
from connector.yaml import Position, read_document

__all__ = ["Tree", "read_text", "value_at", "walk", "without"]


@dataclass(slots=True)
class Tree:
    """Plain values and their places in files."""

    value: JSON = None
    places: dict[Path, tuple[Place, Place]] = field(default_factory=dict[Path, tuple[Place, Place]])
    """The places of the key (for a list item, of the item) and of the value, for each path."""
    findings: list[Finding] = field(default_factory=list[Finding])

    def key_place(self, path: Path) -> Place:
        """Return the place of a member's key, or of its nearest parent."""
        return self._nearest(path)[0]

    def value_place(self, path: Path) -> Place:
        """Return the place of a value, or of its nearest parent."""
        return self._nearest(path)[1]

    def _nearest(self, path: Path) -> tuple[Place, Place]:
        while path not in self.places and path:
            path = path[:-1]
        return self.places.get(path, (Place("", 1, 1), Place("", 1, 1)))


def read_text(text: str, file: str) -> Tree:
    """Parse a text, and report everything in it that is not JSON."""
    # JSON is YAML except for its tabs, which only indent.
    document = read_document(text.replace("\t", " ") if file.endswith(".json") else text)
    places = {path: (_place(key, file), _place(value, file)) for path, (key, value) in document.places.items()}
    findings = [
        Finding(fault.rule, _place(fault.position, file), Fault(path_text(fault.path), fault.found, fault.allowed))
        for fault in document.faults
    ]
    return Tree(document.value, places, findings)


def _place(position: Position, file: str) -> Place:
    return Place(file, position.line, position.column)


def value_at(value: JSON, path: Path) -> JSON:
    """Return the value at a path; None if there is none."""
    for step in path:
        if is_object(value) and step in value:
            value = value[str(step)]
        elif is_list(value) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def walk(value: JSON, path: Path = ()) -> Iterator[tuple[Path, JSON]]:
    """Yield a value and everything in it, each with its path."""
    yield path, value
    if is_object(value):
        for key, item in value.items():
            yield from walk(item, (*path, key))
    elif is_list(value):
        for index, item in enumerate(value):
            yield from walk(item, (*path, index))


def without(value: JSON, places: Iterable[Path]) -> JSON:
    """Return a value without the members at some paths; an item of a list becomes None."""
    inner: dict[str | int, list[Path]] = {}
    for place in places:
        if not place:
            return None
        inner.setdefault(place[0], []).append(place[1:])
    if is_object(value):
        return {key: without(item, inner.get(key, ())) for key, item in value.items() if () not in inner.get(key, ())}
    if is_list(value):
        return [without(item, inner.get(index, ())) for index, item in enumerate(value)]
    return value
