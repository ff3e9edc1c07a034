"""Plain values by the places in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from connector.config.findings import Path
from connector.model import JSON, is_list, is_object

__all__ = ["at", "walk", "without"]


def at(value: JSON, path: Path) -> JSON:
    """What stands at a place; None when nothing does."""
    for step in path:
        if is_object(value) and step in value:
            value = value[str(step)]
        elif is_list(value) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def walk(value: JSON, path: Path = ()) -> Iterator[tuple[Path, JSON]]:
    """A value and everything in it, each with its place."""
    yield path, value
    if is_object(value):
        for key, item in value.items():
            yield from walk(item, (*path, key))
    elif is_list(value):
        for index, item in enumerate(value):
            yield from walk(item, (*path, index))


def without(value: JSON, places: Iterable[Path]) -> JSON:
    """A value without the members that stand at some places; an item of a list becomes None."""
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
