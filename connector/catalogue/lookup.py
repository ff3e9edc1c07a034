"""Lookup of an operation by name, and by method and path."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal, cast
from urllib.parse import parse_qsl, unquote

from connector.catalogue.index import Index, normalize_name
from connector.errors import UnknownName
from connector.suggestions import closest

__all__ = ["Lookup", "Matcher", "Use"]

WIRE = re.compile(r"(GET|HEAD|OPTIONS|POST|PUT|PATCH|DELETE)\s+(/\S*)", re.IGNORECASE)
METHODS = ("GET", "POST", "DELETE", "PUT", "PATCH", "HEAD")
Use = Literal["read", "write"]
SYNONYMS = {
    "get": ("retrieve", "list"), "read": ("retrieve", "list"), "show": ("retrieve",), "fetch": ("retrieve", "list"),
    "post": ("create",), "add": ("create",), "new": ("create",), "remove": ("delete",), "destroy": ("delete",),
    "modify": ("update",), "patch": ("update",), "put": ("replace", "update"), "ls": ("list",), "all": ("list",),
}  # fmt: skip
"""Other names of actions; the first that the entity has is meant."""

NOT_MEANT = {"removed", "deprecated", "on"}
"""An operation with one of these is never suggested for a single word: it is gone, or a verb of another entity."""
ARTICLES = ("a", "an", "the")

Match = Callable[[str, str], tuple[int, Mapping[str, str]] | None]


class Lookup:
    """Finds the position of an operation in a catalogue's list by name."""

    def __init__(self, index: Index, match: Match) -> None:
        self._rows = cast("Sequence[Any]", index["operations"])
        self._names = cast("Mapping[str, int]", index["names"])
        self._match = match

    def find(self, name: str, action: str | None, use: Use | None = None) -> int:
        """Return the position of the named operation; raise UnknownName, with suggestions, when there is none.

        Args:
            name: an entity, or by itself any name of an operation.
            action: what is done with the entity; with a name of an operation, it says the same again.
            use: whether the operation is to read or to write: what an entity alone means depends on it.
        """
        if action is not None:
            return self._find_in_entity(name, action)
        plain = _strip_prefix(name)
        if use == "write" and normalize_name(plain) in self._entities:
            return self._find_create(plain)
        place = self._find_by_whole_name(name)
        if place is not None:
            return place
        if WIRE.fullmatch(name.strip()):
            raise self._unknown_path(name)
        return (
            self._find_default(plain, use)
            if normalize_name(plain) in self._entities
            else self._find_by_last_word(plain)
        )

    def _find_by_whole_name(self, name: str) -> int | None:
        """Return the position of the operation that a text names: an alias, entity and action, method and path."""
        wire = WIRE.fullmatch(name.strip())
        if wire is None:
            return self._names.get(normalize_name(_strip_prefix(name)))
        method, path = wire[1].upper(), wire[2]
        found = self._match(method, path)
        return self._names.get(f"{method} {path}", None if found is None else found[0])

    def _unknown_path(self, name: str) -> UnknownName:
        """Return the error for an unknown path, with other methods of the path or similar paths."""
        method, _, path = name.strip().partition(" ")
        wanted = f"{method.upper()} {path.strip()}"
        other = [f"{one} {path.strip()}" for one in METHODS if one != method.upper() and self._match(one, path.strip())]
        known = [f"{key.upper()} {row[3][key]}" for row in self._rows for key in row[3] if key == method.lower()]
        return UnknownName("operation", wanted, other or closest(wanted, known))

    def _find_in_entity(self, entity: str, action: str) -> int:
        plain, candidates = _strip_prefix(entity), (normalize_name(action), *SYNONYMS.get(normalize_name(action), ()))
        for one in candidates:
            place = self._names.get(normalize_name(plain) + one)
            if place is not None:
                return place
        if self._list_actions(normalize_name(plain)):
            raise self._unknown_action(plain, action)
        place = self._find_by_whole_name(entity)
        if place is None:
            raise self._unknown_entity(plain)
        if same := self._list_action_names(place) & set(candidates):
            return self._names.get(normalize_name(self._rows[place][1]) + same.pop(), place)
        raise UnknownName(
            "action", action, (), f"{entity!r} is {self._format_name(place)} already; leave the action out"
        )

    def _list_action_names(self, place: int) -> set[str]:
        """Return the names of the action of an operation."""
        row = self._rows[place]
        return {normalize_name(row[2]), *([normalize_name(row[3]["verb"])] if "verb" in row[3] else [])}

    def _find_default(self, entity: str, use: Use | None) -> int:
        """Return the operation that an entity alone means: its list, or its only action that fits the use."""
        actions = self._entities[normalize_name(entity)]
        if "list" in actions:
            return actions["list"]
        fitting = [place for place in actions.values() if use != "read" or "get" in self._rows[place][3]]
        if len(fitting) == 1:
            return fitting[0]
        raise self._no_default_error(entity)

    def _find_create(self, entity: str) -> int:
        """Return the operation that an entity alone means to a publisher: its `create`."""
        key = normalize_name(entity)
        place = self._names.get(f"{key}create", self._names.get(key))
        if place is None:
            raise self._no_default_error(entity)
        return place

    def _no_default_error(self, entity: str) -> UnknownName:
        known = ", ".join(self._list_actions(normalize_name(entity)))
        return UnknownName("operation", entity, (), f"it has {known}; name one of them")

    def _find_by_last_word(self, name: str) -> int:
        """Find `files get`, whose last word is another name of an action."""
        parts = [part for part in re.split(r"[\s._\-/]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)) if part]
        for cut in range(len(parts) - 1, 0, -1):
            entity, action = " ".join(parts[:cut]), " ".join(parts[cut:])
            if self._list_actions(normalize_name(entity)):
                return self._find_in_entity(entity, action)
        place = self._find_by_first_word(parts)
        if place is None:
            raise self._unknown_entity(name)
        return place

    def _find_by_first_word(self, parts: Sequence[str]) -> int | None:
        """Find `Create a response` or `Get file by ID`: an action, then an entity."""
        # An article anywhere else may be the id of something.
        rest = parts[2:] if len(parts) > 1 and parts[1].lower() in ARTICLES else parts[1:]
        verb, thing = normalize_name("".join(parts[:1])), normalize_name("".join(rest)).removesuffix("byid")
        for entity in _word_forms(thing):
            for action in (verb, *SYNONYMS.get(verb, ())):
                place = self._names.get(entity + action)
                if place is not None and self._list_actions(entity):
                    return place
        return None

    def _suggest_creating(self, word: str) -> list[str]:
        """Return the operations that create what one word names: `chat`, `Image`."""
        forms = set(_word_forms(normalize_name(word)))
        making = [row for row in self._rows if row[2] == "create" and not row[3].keys() & NOT_MEANT]
        found = [row[1] for row in making if forms & {normalize_name(part) for part in row[1].split()}]
        found.sort(
            key=lambda entity: (
                normalize_name(entity) not in forms,
                normalize_name(entity.split()[0]) not in forms,
                entity,
            )
        )
        return [f"{entity} create" for entity in found[:3]]

    def _unknown_entity(self, name: str) -> UnknownName:
        if named := self._suggest_creating(name):
            return UnknownName("entity", name, named)
        known = {normalize_name(row[1]): row[1] for row in self._rows}
        known |= {normalize_name(f"{row[1]} {row[2]}"): f"{row[1]} {row[2]}" for row in self._rows}
        candidates = closest(normalize_name(name), [*known, *(key for key in self._names if " " not in key)])
        written = dict.fromkeys(known.get(key) or self._format_name(self._names[key]) for key in candidates)
        entities = [one for one in written if normalize_name(one) in self._entities]
        distinct = [one for one in written if one in entities or not one.startswith(tuple(f"{e} " for e in entities))]
        distinct = [one for one in distinct if normalize_name(one) != normalize_name(name)]
        return UnknownName("entity", name, distinct, "" if distinct else "`entities list` shows all")

    def _unknown_action(self, entity: str, action: str) -> UnknownName:
        actions = self._list_actions(normalize_name(entity))
        return UnknownName("action", action, closest(action, actions), f"{entity} has {', '.join(actions)}")

    def _format_name(self, place: int) -> str:
        return f"{self._rows[place][1]} {self._rows[place][2]}"

    def _list_actions(self, entity: str) -> list[str]:
        """Return an entity's actions and the verbs it is also found by."""
        return [*self._entities.get(entity, ()), *self._verbs.get(entity, ())]

    @cached_property
    def _verbs(self) -> dict[str, list[str]]:
        """Return the verbs that an entity has beside its actions, by its normalized name."""
        verbs: dict[str, list[str]] = {}
        for row in self._rows:
            if "on" in row[3]:
                verbs.setdefault(normalize_name(row[3]["on"]), []).append(row[3]["verb"])
        return verbs

    @cached_property
    def _entities(self) -> dict[str, dict[str, int]]:
        """Return every entity's actions, by normalized name."""
        entities: dict[str, dict[str, int]] = {}
        for place, row in enumerate(self._rows):
            entities.setdefault(normalize_name(row[1]), {})[row[2]] = place
        return entities


def _strip_prefix(name: str) -> str:
    """Strip the prefix that users of the official SDK write before a name."""
    return name.strip().removeprefix("client.")


def _word_forms(thing: str) -> Sequence[str]:
    """Return a word, its plurals and its singular: `file`, `batch`, `reply`, `images`."""
    one = thing.removesuffix("s")
    return (thing, f"{thing}s", f"{thing}es", f"{thing.removesuffix('y')}ies", one) if one else ()


VERSION = re.compile(r"/v\d+(?=/)")
Template = tuple[int, str, str, dict[str, str]]
"""Position in the catalogue, method, template, fixed query."""


class Matcher:
    """Matches paths with templates; literal segments win over parameters."""

    def __init__(self, templates: Iterable[Template]) -> None:
        self._by_shape: dict[tuple[str, int], list[tuple[Sequence[str], dict[str, str], int]]] = {}
        for place, method, template, fixed in templates:
            parts = template.split("/")
            self._by_shape.setdefault((method, len(parts)), []).append((parts, fixed, place))
        for candidates in self._by_shape.values():
            candidates.sort(key=lambda one: ([part.startswith("{") for part in one[0]], -len(one[1])))

    def match(self, method: str, path: str) -> tuple[int, dict[str, str]] | None:
        """Return the position of a path's operation (with or without version and query) and its path parameters."""
        path, _, text = path.partition("?")
        query = dict(parse_qsl(text, keep_blank_values=True))
        for candidate in dict.fromkeys((path, VERSION.sub("", path, count=1))):
            if found := self._match(method.upper(), candidate.split("/"), query):
                return found
        return None

    def _match(self, method: str, parts: list[str], query: dict[str, str]) -> tuple[int, dict[str, str]] | None:
        for template, fixed, place in self._by_shape.get((method, len(parts)), ()):
            if fixed.items() <= query.items():
                values = _match_values(template, parts)
                if values is not None:
                    return place, values
        return None


def _match_values(template: Sequence[str], parts: Sequence[str]) -> dict[str, str] | None:
    values: dict[str, str] = {}
    for wanted, part in zip(template, parts, strict=True):
        if wanted.startswith("{"):
            if not part:
                return None
            values[wanted[1:-1]] = unquote(part)
        elif wanted != part:
            return None
    return values
