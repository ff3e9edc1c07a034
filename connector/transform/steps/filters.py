"""`key-filter` and `value-filter`: drop the keys or values that fulfil conditions, or all others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connector.model import JSON
from connector.transform.accessors import members
from connector.transform.block import make_sync
from connector.transform.conditions.logic import first_failing
from connector.transform.context import Scope
from connector.transform.declaration import Step
from connector.transform.edit import Edit
from connector.transform.fields import accessor, choice, conditions
from connector.transform.paths import Segments
from connector.transform.types import Check, Run, Selector

__all__ = ["FILTERS"]

holds = make_sync(first_failing)


def _build(subject: Callable[[Segments, JSON], JSON]) -> Callable[..., Run]:
    """Return the build of a filter whose conditions are about a key or a value."""

    def build(accessor: Selector, conditions: list[Check], mode: str) -> Run:
        def run(document: JSON, scope: Scope) -> JSON:
            places = accessor.places(document)
            fit = [path for path, value in places if holds(conditions, subject(path, value), document, scope) is None]
            return _remove_all(document, fit if mode == "drop" else _find_siblings(document, places, fit))

        return run

    return build


def _find_siblings(document: JSON, places: list[tuple[Segments, JSON]], fit: list[Segments]) -> list[Segments]:
    """Return the siblings of the selected parts that are not kept."""
    kept = set(fit)
    parents = dict.fromkeys(path[:-1] for path, _ in places if path)
    found: list[Segments] = []
    for parent in parents:
        node = Edit(document).get(parent)
        found += [(*parent, key) for key, _ in members(node) if (*parent, key) not in kept]
    return found


def _remove_all(document: JSON, paths: list[Segments]) -> JSON:
    edit = Edit(document)
    for path in paths:
        edit.remove(path)
    return edit.end()


def _fields(noun: str, mode: str) -> dict[str, Any]:
    return {
        "accessor": accessor(f"The {noun} it is about.", required=True),
        "conditions": conditions(f"What the {noun} must fulfil; all do when none is given."),
        "mode": choice(f"What happens to {noun} that fulfil them.", ("keep", "drop"), default=mode),
    }


FILTERS = (
    Step(
        "key-filter",
        "Drops the keys that fulfil conditions, or keeps only them.",
        _fields("keys", "drop"),
        _build(lambda path, _: path[-1] if path else ""),
    ),
    Step(
        "value-filter",
        "Keeps the members whose values fulfil conditions, or drops them.",
        _fields("values", "keep"),
        _build(lambda _, value: value),
    ),
)
