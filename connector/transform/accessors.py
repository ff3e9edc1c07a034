"""The accessors: how a step says which parts of a document it is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connector.model import JSON, is_document, is_list
from connector.transform.declaration import Accessor
from connector.transform.edit import Edit, assign, remove
from connector.transform.fields import names, word
from connector.transform.fields import pattern as pattern_field
from connector.transform.paths import MISSING, Pattern, Segments, as_index, child, is_container, parse_path, path_getter
from connector.transform.placeholders import to_text
from connector.transform.types import Selector

__all__ = ["ACCESSORS", "members"]

Found = tuple[Segments, JSON]


class Keys:
    """The named members of the container at the root; all of them when none is named."""

    def __init__(self, root: Segments, keys: Sequence[str]) -> None:
        self._root = root
        self._keys = tuple(keys)
        self._find = path_getter(root)
        self.sole = (*root, keys[0]) if len(keys) == 1 else None

    def places(self, document: JSON) -> list[Found]:
        container = self._find(document)
        if not self._keys:
            return [((*self._root, key), value) for key, value in members(container)]
        found = [(key, child(container, key)) for key in self._keys]
        return [((*self._root, key), value) for key, value in found if value is not MISSING]

    def whole(self, document: JSON) -> list[Found]:
        if self._keys:
            return [((*path,), value) for path, value in self.places(document)]
        container = self._find(document)
        return [] if container is MISSING else [(self._root, container)]

    def read(self, document: JSON, *, enclosed: bool) -> dict[str, JSON]:
        found = {path[-1]: value for path, value in self.places(document)}
        if not enclosed or not self._root or not found:
            return found
        wrapped: dict[str, JSON] = assign({}, self._root, found)
        return wrapped

    def write(self, document: JSON, members: Mapping[str, JSON]) -> JSON:
        if not self._root:
            return {**document, **members} if is_document(document) else dict(members)
        edit = Edit(document)
        for key, value in members.items():
            edit.set((*self._root, key), value)
        return edit.end()

    def clear(self, document: JSON) -> JSON:
        edit = Edit(document)
        for path, _ in self.places(document):
            edit.remove(path)
        return edit.end()


def members(container: JSON) -> list[tuple[str, JSON]]:
    """Return the keys and values of an object, or the positions and items of a list."""
    if not is_container(container):
        return []
    if is_document(container):
        return list(container.items())
    return [(str(index), item) for index, item in enumerate(container)]


def _build_key(root: str | None, keys: list[str]) -> Selector:
    return Keys(parse_path(root or ""), keys)


KEY = Accessor(
    "key",
    "Some or all members of one object or list.",
    {
        "root": word("The dotted path of the object or list; the document unless given.", default=""),
        "keys": names("The keys or positions; all of them unless given."),
    },
    _build_key,
    sole="keys",
)


class Places:
    """What a pattern matches; with keys, those members of what it matches."""

    def __init__(self, pattern: Pattern, keys: list[str]) -> None:
        self._pattern = pattern
        self._keys = keys
        self.sole = None if pattern.stars or keys else pattern.segments
        self._fixed = pattern.segments[: pattern.segments.index("*")] if pattern.stars else pattern.segments[:-1]

    def places(self, document: JSON) -> list[Found]:
        found = [(match.path, match.value) for match in self._pattern.matches(document)]
        if not self._keys:
            return found
        below = [((*path, key), child(value, key)) for path, value in found for key in self._keys]
        return [(path, value) for path, value in below if value is not MISSING]

    def whole(self, document: JSON) -> list[Found]:
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


def _build_pattern(pattern: Pattern, keys: list[str]) -> Selector:
    return Places(pattern, keys)


PATTERN = Accessor(
    "pattern",
    "Every place that a pattern leads to.",
    {
        "pattern": pattern_field("A dotted path in which * matches any key; the document unless given.", default=""),
        "keys": names("Keys of what the pattern leads to; the whole of it unless given."),
    },
    _build_pattern,
    sole="pattern",
)


class Pairs:
    """`[{key: "a", value: 1}]` as `{a: 1}`."""

    def __init__(self, root: Segments, key: Segments, value: Segments, keys: list[str]) -> None:
        self._root, self._key, self._value, self._keys = root, key, value, set(keys)
        self.sole = None
        self._find, self._name, self._held = path_getter(root), path_getter(key), path_getter(value)

    def places(self, document: JSON) -> list[Found]:
        found: list[Found] = []
        for position, pair in members(self._find(document)):
            name, value = self._name(pair), self._held(pair)
            if name is not MISSING and value is not MISSING and (not self._keys or to_text(name) in self._keys):
                found.append(((*self._root, position, *self._value), value))
        return found

    def whole(self, document: JSON) -> list[Found]:
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
    """Return a name as pairs hold it: a position is a number."""
    index = as_index(name)
    return name if index is None else index


def _build_structure(root: str | None, key: str, value: str, keys: list[str]) -> Selector:
    return Pairs(parse_path(root or ""), parse_path(key), parse_path(value), keys)


STRUCTURE = Accessor(
    "structure",
    "A list of pairs, such as {key: color, value: red}, seen as the object they describe.",
    {
        "root": word("The dotted path of the list; the document unless given.", default=""),
        "key": word("The path of the name in each pair.", default="key"),
        "value": word("The path of the value in each pair.", default="value"),
        "keys": names("The names it is about; all of them unless given."),
    },
    _build_structure,
)

ACCESSORS = (KEY, PATTERN, STRUCTURE)
