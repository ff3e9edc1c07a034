"""`key`: some or all keys of one object, or positions of one list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connector.model import JSON, is_document
from connector.transform.declaration import Accessor, Look
from connector.transform.edit import Edit, assign
from connector.transform.fields import names, word
from connector.transform.paths import MISSING, Segments, child, is_container, parse_path, walker

__all__ = ["KEY", "Keys"]

Place = tuple[Segments, JSON]


class Keys:
    """The members of the container at the root that are named, or all of them when none is."""

    def __init__(self, root: Segments, keys: Sequence[str]) -> None:
        self._root = root
        self._keys = tuple(keys)
        self._find = walker(root)
        self.sole = (*root, keys[0]) if len(keys) == 1 else None

    def places(self, document: JSON) -> list[Place]:
        container = self._find(document)
        if not self._keys:
            return [((*self._root, key), value) for key, value in members(container)]
        found = [(key, child(container, key)) for key in self._keys]
        return [((*self._root, key), value) for key, value in found if value is not MISSING]

    def whole(self, document: JSON) -> list[Place]:
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
    """The keys and values of an object, or positions and items of a list."""
    if not is_container(container):
        return []
    if is_document(container):
        return list(container.items())
    return [(str(index), item) for index, item in enumerate(container)]


def _build(root: str | None, keys: list[str]) -> Look:
    return Keys(parse_path(root or ""), keys)


KEY = Accessor(
    "key",
    "Some or all members of one object or list.",
    {
        "root": word("The dotted path of the object or list; the document unless given.", default=""),
        "keys": names("The keys or positions; all of them unless given."),
    },
    _build,
    sole="keys",
)
