"""Edits of documents: the containers along a path are copied, the rest is shared.

A given document is never changed (failures report it, traces show it, branches share it), and two places that hold
the same value never change together.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise
from typing import Any

from connector.model import JSON, is_document, is_list
from connector.transform.paths import MISSING, Segments, as_index, is_container, look_up

__all__ = ["Edit", "assign", "drop_keys", "merge", "remove", "rename"]

GAP: Any = MISSING
"""Marks a removed item of a list until the edit ends."""


def assign(document: JSON, path: Segments, value: JSON) -> JSON:
    """Return the document with a value at a path; missing objects and lists are made.

    A position right behind a list's end appends; one further away turns the list into an object of positions, as the
    platform does where these paths come from.
    """
    if document.__class__ is dict and path:
        root: dict[str, JSON] = document.copy()
        node = _copy_parents(root, path)
        if node is not None:
            node[path[-1]] = value
            return root
    edit = Edit(document)
    edit.set(path, value)
    return edit.end()


def _copy_parents(root: dict[str, JSON], path: Segments) -> dict[str, JSON] | None:
    """Copy the objects along a path and return the last one; None when not all are objects."""
    node = root
    for key, below in pairwise(path):
        held = node.get(key, MISSING)
        if held.__class__ is dict:
            inner: dict[str, JSON] = held.copy()
        elif held is MISSING and below != "0":
            inner = {}
        else:
            return None
        node[key] = inner
        node = inner
    return node


def remove(document: JSON, path: Segments) -> JSON:
    """Return the document without the value at a path; a list closes the gap."""
    if not path:
        return None
    if look_up(document, path) is MISSING:
        return document
    if document.__class__ is dict:
        root: dict[str, JSON] = document.copy()
        node = _copy_parents(root, path)
        if node is not None:
            del node[path[-1]]
            return root
    edit = Edit(document)
    edit.remove(path)
    return edit.end()


def drop_keys(document: JSON, keys: Collection[str]) -> JSON:
    """Return the object without some of its keys."""
    left = document.copy()
    for key in keys:
        left.pop(key, None)
    return left


def merge(base: JSON, over: JSON) -> JSON:
    """Merge objects key by key, deeply; any other value is replaced."""
    if not (is_document(base) and is_document(over)):
        return over
    merged = dict(base)
    for key, value in over.items():
        held = merged.get(key, MISSING)
        merged[key] = merge(held, value) if is_document(held) and is_document(value) else value
    return merged


def rename(node: dict[str, JSON], names: dict[str, str]) -> dict[str, JSON]:
    """Return the object with other keys in the same order; of two that get one name the later stays."""
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
        if is_list(parent):
            parent[int(key)] = GAP
            self._gaps.append(parent)
        else:
            del parent[key]

    def get(self, path: Segments) -> JSON:
        """Return the current value at a path, or MISSING."""
        return look_up(self._root[0], path)

    def end(self) -> JSON:
        """Return the edited document, lists without gaps."""
        for items in self._gaps:
            items[:] = [item for item in items if item is not GAP]
        return self._root[0]

    def _enter(self, parent: JSON, key: str | int, segment: str) -> tuple[JSON, str | int]:
        """Return the container at parent[key], copied and fit for the segment, with the segment as its key."""
        node = _get(parent, key)
        index = as_index(segment)
        if is_list(node) and (index is None or index > len(node)):
            node = {str(position): item for position, item in enumerate(node) if item is not GAP}
        elif not is_container(node):
            node = _new_container(index)
        elif id(node) not in self._own:
            node = node.copy()
        self._own[id(node)] = node
        _put(parent, key, node)
        return node, segment if index is None or is_document(node) else index


def _new_container(index: int | None) -> JSON:
    """Return a list for a first position, an object for any other key."""
    return [] if index == 0 else {}


def _get(parent: JSON, key: str | int) -> JSON:
    if is_list(parent):
        return parent[int(key)] if int(key) < len(parent) else MISSING
    return parent.get(key, MISSING)


def _put(parent: JSON, key: str | int, value: JSON) -> None:
    if is_list(parent):
        # A slice behind the end appends.
        parent[int(key) : int(key) + 1] = [value]
    else:
        parent[key] = value
