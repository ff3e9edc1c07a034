"""From the pairs of a query or a form to values: `name[]` and `name[key]` become arrays and objects."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

from connector.model import JSON, is_document, is_list

__all__ = ["unfold"]

PART = re.compile(r"\[([^\[\]]*)\]")
DEEPEST = 32


def unfold(pairs: Iterable[tuple[str, JSON]]) -> dict[str, JSON]:
    """The values that pairs stand for; a plain name that comes twice is a list."""
    found: dict[str, JSON] = {}
    for name, value in pairs:
        bracket = name.find("[")
        if bracket <= 0:
            _put(found, name, value)
            continue
        keys = [name[:bracket], *PART.findall(name[bracket:])[:DEEPEST]]
        _place(found, keys, value)
    return found


def _put(found: dict[str, JSON], name: str, value: JSON) -> None:
    if name not in found:
        found[name] = value
    elif is_list(found[name]):
        found[name].append(value)
    else:
        found[name] = [found[name], value]


def _place(found: dict[str, JSON], keys: list[str], value: JSON) -> None:
    """Puts a value where its keys lead; an empty key is the next item of an array."""
    at: JSON = found
    for key, following in pairwise(keys):
        at = _item(at, following) if is_list(at) else _member(at, key, following)
    if is_list(at):
        at.append(value)
    else:
        _put(at, keys[-1], value)


def _member(at: dict[str, JSON], key: str, following: str) -> JSON:
    empty: JSON = [] if following == "" else {}
    if not isinstance(at.get(key), type(empty)):
        at[key] = empty
    return at[key]


def _item(at: list[JSON], following: str) -> JSON:
    """The item that a value belongs to: the last one, unless that has a value of the name already."""
    if following == "":
        at.append([])
    elif not at or not is_document(at[-1]) or following in at[-1]:
        at.append({})
    return at[-1]
