"""`structure`: a list of key and value pairs, seen as the object that they describe."""

from __future__ import annotations

from collections.abc import Mapping

from connector.model import JSON, is_list
from connector.transform.accessors.key import members
from connector.transform.declaration import Accessor, Look
from connector.transform.edit import assign, remove
from connector.transform.fields import names, word
from connector.transform.paths import MISSING, Segments, as_index, parse_path, walker
from connector.transform.text import to_text

__all__ = ["STRUCTURE"]

Place = tuple[Segments, JSON]


class Pairs:
    """`[{key: "a", value: 1}]` as `{a: 1}`."""

    def __init__(self, root: Segments, key: Segments, value: Segments, keys: list[str]) -> None:
        self._root, self._key, self._value, self._keys = root, key, value, set(keys)
        self.sole = None
        self._find, self._name, self._held = walker(root), walker(key), walker(value)

    def places(self, document: JSON) -> list[Place]:
        found: list[Place] = []
        for position, pair in members(self._find(document)):
            name, value = self._name(pair), self._held(pair)
            if name is not MISSING and value is not MISSING and (not self._keys or to_text(name) in self._keys):
                found.append(((*self._root, position, *self._value), value))
        return found

    def whole(self, document: JSON) -> list[Place]:
        container = self._find(document)
        return [] if container is MISSING else [(self._root, container)]

    def read(self, document: JSON, *, enclosed: bool) -> dict[str, JSON]:  # noqa: ARG002  pairs have no enclosure
        pairs = [(self._name(pair), self._held(pair)) for _, pair in members(self._find(document))]
        named = {to_text(name): value for name, value in pairs if name is not MISSING and value is not MISSING}
        return {name: value for name, value in named.items() if not self._keys or name in self._keys}

    def write(self, document: JSON, members: Mapping[str, JSON]) -> JSON:
        pairs = [
            assign(assign({}, self._key, _name(name)), self._value, value)
            for name, value in members.items()
            if not self._keys or name in self._keys
        ]
        held = self._find(document)
        return assign(document, self._root, [*(held if is_list(held) else []), *pairs])

    def clear(self, document: JSON) -> JSON:
        if not self._keys:
            return assign(document, self._root, []) if self._find(document) is not MISSING else document
        held = self._find(document)
        if not is_list(held):
            return remove(document, self._root)
        return assign(
            document, self._root, [pair for pair in held if to_text(self._name(pair) or None) not in self._keys]
        )


def _name(name: str) -> JSON:
    """Positions are numbers again."""
    index = as_index(name)
    return name if index is None else index


def _build(root: str | None, key: str, value: str, keys: list[str]) -> Look:
    return Pairs(parse_path(root or ""), parse_path(key), parse_path(value), keys)


STRUCTURE = Accessor(
    "structure",
    "A list of pairs, such as {key: color, value: red}, seen as the object they describe.",
    {
        "root": word("The dotted path of the list; the document unless given.", default=""),
        "key": word("Where the name stands in each pair.", default="key"),
        "value": word("Where the value stands in each pair.", default="value"),
        "keys": names("The names it is about; all of them unless given."),
    },
    _build,
)
