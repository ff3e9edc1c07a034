"""The shapes that other platforms write their values in."""

from __future__ import annotations

from collections.abc import Iterator

from connector.model import JSON, is_list, is_object

__all__ = ["as_list", "as_map", "prototypes_in"]


def as_map(value: JSON) -> dict[str, JSON]:
    """An object; an empty one may have been written as a list, and anything else has no members."""
    return dict(value) if is_object(value) else {}


def as_list(value: JSON) -> list[JSON]:
    """A list; one thing is a list of one, an object of positions is its values, nothing is an empty list."""
    if is_list(value):
        return list(value)
    if is_object(value) and value and all(key.isdigit() for key in value):
        return list(value.values())
    return [] if value is None or value == "" or value == {} else [value]


def prototypes_in(value: JSON) -> Iterator[str]:
    """The name of every prototype that is used in a value."""
    todo = [value]
    while todo:
        item = todo.pop()
        if is_object(item):
            if isinstance(item.get("prototype"), str):
                yield item["prototype"]
            todo.extend(item.values())
        elif is_list(item):
            todo.extend(item)
