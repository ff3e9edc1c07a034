"""Values changed in the text of a configuration, while all else stays as it is written, comments included."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path as File

from connector.config.changes import Change, find_changes
from connector.config.findings import Path, path_text
from connector.config.tree import read_text, value_at
from connector.config.yaml_text import change_text, move_item, rename_member
from connector.errors import ConfigurationError
from connector.model import JSON, is_list, is_object

__all__ = ["ABSENT", "insert_in_text", "move_in_text", "put_in_text", "rename_in_text", "rewrite"]

ABSENT: JSON = object()
"""Stands for no value: what is to be removed."""


def put_in_text(text: str, file: File, path: Path, value: JSON) -> str:
    """Return a text with the value at a path set, or removed when it is ABSENT."""
    before = _read(text, file)
    return _change(text, file, before, _put(before, path, value, ""), path)


def insert_in_text(text: str, file: File, path: Path, value: JSON) -> str:
    """Return a text with a value inserted into a list, at the place that a path ends with."""
    before, place = _read(text, file), path[-1]
    items = value_at(before, path[:-1])
    if not isinstance(place, int) or not (is_list(items) or items is None) or not 0 <= place <= len(items or ()):
        raise ConfigurationError(f"{path_text(path)}: no place in a list; its items are counted from 0")
    wanted = [*(items or ())[:place], value, *(items or ())[place:]]
    return _change(text, file, before, _put(before, path[:-1], wanted, ""), path)


def move_in_text(text: str, file: File, path: Path, to: int) -> str:
    """Return a text with an item of a list in another place of that list."""
    before, place = _read(text, file), path[-1]
    items = value_at(before, path[:-1])
    if not isinstance(place, int) or not is_list(items) or not (0 <= place < len(items) and 0 <= to < len(items)):
        raise ConfigurationError(f"{path_text(path)} cannot be moved to {to}: both are places in a list, from 0")
    order = [item for index, item in enumerate(items) if index != place]
    wanted = _put(before, path[:-1], [*order[:to], items[place], *order[to:]], "")
    moved = _try(lambda: move_item(text, path, to))
    return moved if _says(moved, file, wanted) else _change(text, file, before, wanted, path)


def rename_in_text(text: str, file: File, path: Path, name: str) -> str:
    """Return a text in which a member of an object has another name, at the same place."""
    before = _read(text, file)
    holder = value_at(before, path[:-1])
    if not is_object(holder) or path[-1] not in holder:
        raise ConfigurationError(f"{path_text(path)}: nothing there has a name")
    if name in holder:
        raise ConfigurationError(f"{path_text(path)} cannot be called {name!r}: that name is taken")
    renamed = {name if key == path[-1] else key: value for key, value in holder.items()}
    wanted = renamed if len(path) == 1 else _put(before, path[:-1], renamed, "")
    after = _try(lambda: rename_member(text, path, name, as_json=file.suffix == ".json"))
    if not _says(after, file, wanted):
        raise ConfigurationError(f"{file.name}: {path_text(path)} cannot be renamed in what is written there")
    return after


def rewrite(text: str, wanted: Sequence[Change], file: File) -> str:
    """Return the text with every change, or an empty text if one cannot be made."""

    def change() -> str:
        after = text
        for one in wanted:
            after = change_text(after, one, as_json=file.suffix == ".json")
        return after

    return _try(change)


def _try(change: Callable[[], str]) -> str:
    """Return what a change makes; an empty text where lines and marks do not tell how something is written."""
    from ruamel.yaml.error import YAMLError

    try:
        return change()
    except (YAMLError, ValueError, IndexError):
        return ""


def _read(text: str, file: File) -> dict[str, JSON]:
    tree = read_text(text, str(file))
    if tree.findings or not (tree.value is None or is_object(tree.value)):
        raise ConfigurationError(
            f"{file.name} cannot be changed piece by piece; mend its text first, `lint` shows where"
        )
    return dict(tree.value or {})


def _change(text: str, file: File, before: dict[str, JSON], wanted: JSON, path: Path) -> str:
    """Return a text that says what is wanted: by the smallest changes, else with the lists in question written anew."""
    changes = find_changes(before, wanted)
    wide = {one.path: one for one in (_widen(one, wanted) for one in changes)}
    for attempt in (changes, list(wide.values())):
        after = rewrite(text, attempt, file) if attempt else text
        if _says(after, file, wanted):
            return after
    raise ConfigurationError(
        f"{file.name}: {path_text(path)} cannot be changed in what is written there; change the text"
    )


def _widen(change: Change, wanted: JSON) -> Change:
    """Return a change of the outermost list that a change is in."""
    depth = next((index for index, step in enumerate(change.path) if isinstance(step, int)), None)
    if depth is None:
        return change
    path = change.path[:depth]
    return Change("put", path, value_at(wanted, path))


def _says(text: str, file: File, wanted: JSON) -> bool:
    found = read_text(text, str(file))
    return not found.findings and _without_empty(found.value) == _without_empty(wanted)


def _put(holder: JSON, path: Path, value: JSON, place: str) -> JSON:
    """Return a value with the member at a path replaced; objects on the way are made, lists are not."""
    if not path:
        return value
    step, rest = path[0], path[1:]
    where = f"{place}.{step}".removeprefix(".")
    if is_list(holder):
        if not isinstance(step, int) or not 0 <= step <= len(holder):
            raise ConfigurationError(f"{where}: the list {place!r} has {len(holder)} items, counted from 0")
        item = _put(holder[step] if step < len(holder) else None, rest, value, where)
        return [*holder[:step], *([] if item is ABSENT else [item]), *holder[step + 1 :]]
    if not (holder is None or is_object(holder)):
        raise ConfigurationError(f"{where}: {place!r} is neither an object nor a list, so nothing can be put into it")
    members: dict[str, JSON] = {**(holder or {})}
    item = _put(members.get(str(step)), rest, value, where)
    if item is ABSENT:
        members.pop(str(step), None)
        return members
    return members | {str(step): item}


def _without_empty(value: JSON) -> JSON:
    """Return a value without empty objects and nulls: an object goes with its last member."""
    if not is_object(value):
        return value
    kept = {name: _without_empty(item) for name, item in value.items()}
    return {name: item for name, item in kept.items() if item not in (None, {})}
