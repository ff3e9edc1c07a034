"""`pattern`: every place that a pattern leads to."""

from __future__ import annotations

from collections.abc import Mapping

from connector.model import JSON, is_document
from connector.transform.accessors.key import members
from connector.transform.declaration import Accessor, Look
from connector.transform.edit import Edit, assign
from connector.transform.fields import names
from connector.transform.fields import pattern as pattern_field
from connector.transform.paths import MISSING, Segments, child
from connector.transform.patterns import Pattern

__all__ = ["PATTERN"]

Place = tuple[Segments, JSON]


class Places:
    """What a pattern matches; with keys, those members of what it matches."""

    def __init__(self, pattern: Pattern, keys: list[str]) -> None:
        self._pattern = pattern
        self._keys = keys
        self.sole = None if pattern.stars or keys else pattern.segments
        self._fixed = pattern.segments[: pattern.segments.index("*")] if pattern.stars else pattern.segments[:-1]

    def places(self, document: JSON) -> list[Place]:
        found = [(match.path, match.value) for match in self._pattern.matches(document)]
        if not self._keys:
            return found
        below = [((*path, key), child(value, key)) for path, value in found for key in self._keys]
        return [(path, value) for path, value in below if value is not MISSING]

    def whole(self, document: JSON) -> list[Place]:
        return self.places(document)

    def read(self, document: JSON, *, enclosed: bool) -> dict[str, JSON]:
        if not self._pattern.segments and not self._keys:
            return dict(members(document))
        strip = 0 if enclosed else len(self._fixed)
        edit = Edit({})
        for path, value in self.places(document):
            edit.set(path[strip:], value)
        found: dict[str, JSON] = edit.end()
        return found

    def write(self, document: JSON, members: Mapping[str, JSON]) -> JSON:
        if not self._pattern.segments:
            return {**document, **members} if is_document(document) else dict(members)
        if not self._pattern.stars:
            return assign(document, self._pattern.segments, dict(members))
        return assign(document, self._fixed, dict(members)) if self._fixed else dict(members)

    def clear(self, document: JSON) -> JSON:
        edit = Edit(document)
        paths = [path for path, _ in self.places(document)]
        if paths == [()]:
            return {}
        for path in paths:
            edit.remove(path)
        return edit.end()


def _build(pattern: Pattern, keys: list[str]) -> Look:
    return Places(pattern, keys)


PATTERN = Accessor(
    "pattern",
    "Every place that a pattern leads to.",
    {
        "pattern": pattern_field("A dotted path in which * stands for any key; the document unless given.", default=""),
        "keys": names("Keys of what the pattern leads to; the whole of it unless given."),
    },
    _build,
    sole="pattern",
)
