"""Changing documents without changing them: what is edited is copied along the path, the rest is shared.

So a document that was given stays as it was (failures report it, traces show it, branches share it), and two places
that hold the same value never change together.
"""

from __future__ import annotations

from typing import Any

from connector.model import JSON
from connector.transform.paths import MISSING, Segments, as_index, child

__all__ = ["Edit", "assign", "merge", "remove", "rename"]

GAP: Any = MISSING
"""Stands in a list where an item was taken away, until the edit ends."""


def assign(document: JSON, path: Segments, value: JSON) -> JSON:
    """The document with this value at the path; objects and lists are made on the way.

    A position right behind a list's end appends; one further away turns the list into an object of positions, as the
    platform does where these paths come from.
    """
    if len(path) == 1 and isinstance(document, dict):
        return {**document, path[0]: value}
    edit = Edit(document)
    edit.set(path, value)
    return edit.end()


def remove(document: JSON, path: Segments) -> JSON:
    """The document without what stands at the path; a list closes the gap."""
    edit = Edit(document)
    edit.remove(path)
    return edit.end()


def merge(base: JSON, over: JSON) -> JSON:
    """Objects merged key by key, deeply; anything else is replaced by what comes over it."""
    if not (isinstance(base, dict) and isinstance(over, dict)):
        return over
    merged = dict(base)
    for key, value in over.items():
        held = merged.get(key, MISSING)
        merged[key] = merge(held, value) if isinstance(held, dict) and isinstance(value, dict) else value
    return merged


def rename(node: dict[str, JSON], names: dict[str, str]) -> dict[str, JSON]:
    """The object with other keys, in their order; of two that get one name the later stays."""
    return {names.get(key, key): value for key, value in node.items()}


class Edit:
    """Many changes to one document, each container copied at most once.

    Values that are set must not be parts of the edit's own document: take them from the one it began with.
    """

    def __init__(self, document: JSON) -> None:
        self._root: list[JSON] = [document]
        self._own: dict[int, JSON] = {id(self._root): self._root}
        self._gaps: list[list[JSON]] = []

    def set(self, path: Segments, value: JSON) -> None:
        if not path:
            self._root[0] = value
            return
        parent: JSON = self._root
        key: str | int = 0
        for segment in path:
            parent, key = self._enter(parent, key, segment)
        _put(parent, key, value)

    def remove(self, path: Segments) -> None:
        if not path:
            self._root[0] = None
            return
        if self.get(path) is MISSING:
            return
        parent: JSON = self._root
        key: str | int = 0
        for segment in path:
            parent, key = self._enter(parent, key, segment)
        if isinstance(parent, list):
            parent[int(key)] = GAP
            self._gaps.append(parent)
        else:
            del parent[key]

    def get(self, path: Segments) -> JSON:
        """What stands at the path now, or MISSING."""
        node = self._root[0]
        for segment in path:
            node = child(node, segment)
        return node

    def end(self) -> JSON:
        """The document as it is now, lists without gaps."""
        for items in self._gaps:
            items[:] = [item for item in items if item is not GAP]
        return self._root[0]

    def _enter(self, parent: JSON, key: str | int, segment: str) -> tuple[JSON, str | int]:
        """The container at parent[key], ours and fit for the segment, with the segment as its key."""
        node = _held(parent, key)
        index = as_index(segment)
        if isinstance(node, list) and (index is None or index > len(node)):
            node = {str(position): item for position, item in enumerate(node) if item is not GAP}
        elif not isinstance(node, dict | list):
            node = [] if index == 0 else {}
        elif id(node) not in self._own:
            node = node.copy()
        self._own[id(node)] = node
        _put(parent, key, node)
        return node, segment if isinstance(node, dict) or index is None else index


def _held(parent: JSON, key: str | int) -> JSON:
    if isinstance(parent, dict):
        return parent.get(key, MISSING)
    return parent[key] if int(key) < len(parent) else MISSING


def _put(parent: JSON, key: str | int, value: JSON) -> None:
    if isinstance(parent, list) and key == len(parent):
        parent.append(value)
    else:
        parent[key] = value
