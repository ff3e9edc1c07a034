"""Finding an operation by what people call it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from connector.catalogue.index import Index
from connector.catalogue.names import squeezed
from connector.errors import UnknownName
from connector.suggest import closest

__all__ = ["Lookup"]

WIRE = re.compile(r"(GET|HEAD|OPTIONS|POST|PUT|PATCH|DELETE)\s+(/\S*)", re.IGNORECASE)
SYNONYMS = {
    "get": ("retrieve", "list"), "read": ("retrieve", "list"), "show": ("retrieve",), "fetch": ("retrieve", "list"),
    "post": ("create",), "add": ("create",), "new": ("create",), "remove": ("delete",), "destroy": ("delete",),
    "modify": ("update",), "patch": ("update",), "put": ("replace", "update"), "ls": ("list",), "all": ("list",),
}  # fmt: skip
"""What people also call an action; the first that the entity has is meant."""

Match = Callable[[str, str], tuple[int, Mapping[str, str]] | None]


class Lookup:
    """Names to places in a catalogue's list of operations."""

    def __init__(self, index: Index, match: Match) -> None:
        self._rows: Sequence[Any] = index["operations"]
        self._names: Mapping[str, int] = index["names"]
        self._match = match

    def find(self, name: str, action: str | None) -> int:
        """The place of the operation meant; UnknownName, with what may have been meant, when there is none."""
        if action is not None:
            return self._of_entity(name, action)
        wire = WIRE.fullmatch(name.strip())
        if wire:
            return self._by_wire(wire[1].upper(), wire[2])
        plain = name.strip().removeprefix("client.")
        place = self._names.get(squeezed(plain))
        if place is not None:
            return place
        return self._default(plain) if squeezed(plain) in self._entities else self._by_last_word(plain)

    def _by_wire(self, method: str, path: str) -> int:
        alias = self._names.get(f"{method} {path}")
        found = self._match(method, path)
        if alias is not None:
            return alias
        if found:
            return found[0]
        known = [f"{key.upper()} {row[3][key]}" for row in self._rows for key in row[3] if key == method.lower()]
        raise UnknownName("operation", f"{method} {path}", closest(f"{method} {path}", known))

    def _of_entity(self, entity: str, action: str) -> int:
        for meant in (squeezed(action), *SYNONYMS.get(squeezed(action), ())):
            place = self._names.get(squeezed(entity) + meant)
            if place is not None:
                return place
        raise self._no_action(entity, action) if self._actions(squeezed(entity)) else self._unknown(entity)

    def _default(self, entity: str) -> int:
        """The operation meant by an entity's name alone: its list, or its only action."""
        actions = self._entities[squeezed(entity)]
        if "list" in actions:
            return actions["list"]
        if len(actions) == 1:
            return next(iter(actions.values()))
        known = ", ".join(self._actions(squeezed(entity)))
        raise UnknownName("operation", entity, (), f"it has {known}; name one of them")

    def _by_last_word(self, name: str) -> int:
        """`files get`: the last word is another name of an action."""
        parts = [part for part in re.split(r"[\s._\-/]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)) if part]
        for cut in range(len(parts) - 1, 0, -1):
            entity, action = " ".join(parts[:cut]), " ".join(parts[cut:])
            if self._actions(squeezed(entity)):
                return self._of_entity(entity, action)
        raise self._unknown(name)

    def _unknown(self, name: str) -> UnknownName:
        known = {squeezed(row[1]): row[1] for row in self._rows}
        known |= {squeezed(f"{row[1]} {row[2]}"): f"{row[1]} {row[2]}" for row in self._rows}
        meant = closest(squeezed(name), [*known, *(key for key in self._names if " " not in key)])
        written = dict.fromkeys(known.get(key) or self._row_name(self._names[key]) for key in meant)
        entities = [one for one in written if squeezed(one) in self._entities]
        distinct = [one for one in written if one in entities or not one.startswith(tuple(f"{e} " for e in entities))]
        return UnknownName("entity", name, distinct, "" if meant else "`entities list` shows all")

    def _no_action(self, entity: str, action: str) -> UnknownName:
        actions = self._actions(squeezed(entity))
        return UnknownName("action", action, closest(action, actions), f"{entity} has {', '.join(actions)}")

    def _row_name(self, place: int) -> str:
        return f"{self._rows[place][1]} {self._rows[place][2]}"

    def _actions(self, entity: str) -> list[str]:
        """An entity's actions with the verbs it is also found by."""
        verbs = [row[3]["verb"] for row in self._rows if "on" in row[3] and squeezed(row[3]["on"]) == entity]
        return [*self._entities.get(entity, ()), *verbs]

    @cached_property
    def _entities(self) -> dict[str, dict[str, int]]:
        """Every entity's actions, by squeezed name."""
        entities: dict[str, dict[str, int]] = {}
        for place, row in enumerate(self._rows):
            entities.setdefault(squeezed(row[1]), {})[row[2]] = place
        return entities
