"""What differs between two values, as the smallest changes of members and items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from connector.config.findings import Path
from connector.model import JSON, is_list, is_object

__all__ = ["Change", "find_changes"]


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a value.

    Attributes:
        kind: `put` sets a member or an item, `insert` makes room for an item before, `remove` takes either out.
    """

    kind: Literal["put", "insert", "remove"]
    path: Path
    value: JSON = None


def find_changes(before: JSON, after: JSON, path: Path = ()) -> list[Change]:
    """Return the smallest changes between two values, in the order in which they are made."""
    if is_list(before) and is_list(after) and before and after:
        return _find_in_list(before, after, path)
    if not is_object(before) or not is_object(after) or (path and not _shares_member(before, after, path)):
        return [] if before == after else [Change("put", path, after)]
    removed = [Change("remove", (*path, name)) for name in before if name not in after]
    inner = [
        change
        for name, value in after.items()
        for change in (
            find_changes(before[name], value, (*path, name))
            if name in before
            else [Change("put", (*path, name), value)]
        )
    ]
    return removed + inner


def _shares_member(before: Mapping[str, JSON], after: Mapping[str, JSON], path: Path) -> bool:
    """Return whether an object may be changed member by member: with the last member the object itself would go."""
    return not before.keys().isdisjoint(after) or not before or (not after and not isinstance(path[-1], int))


def _find_in_list(before: Sequence[JSON], after: Sequence[JSON], path: Path) -> list[Change]:
    start, end = _count_same(before, after)
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    paired = min(len(old), len(new))
    changed = [
        change for index in range(paired) for change in find_changes(old[index], new[index], (*path, start + index))
    ]
    removed = [Change("remove", (*path, start + index)) for index in reversed(range(paired, len(old)))]
    inserted = [Change("insert", (*path, start + index), new[index]) for index in range(paired, len(new))]
    return changed + removed + inserted


def _count_same(before: Sequence[JSON], after: Sequence[JSON]) -> tuple[int, int]:
    """Return how many items are the same at the beginning, and how many of the others at the end."""
    most = min(len(before), len(after))
    start = next((index for index in range(most) if before[index] != after[index]), most)
    rest = most - start
    end = next((index for index in range(rest) if before[-1 - index] != after[-1 - index]), rest)
    return start, end
