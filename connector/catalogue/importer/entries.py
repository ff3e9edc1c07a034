"""Giving every declared operation its area, its name, and what the overlays know of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from connector.catalogue.importer.names import Name, is_plural, name_operation, segments, words
from connector.catalogue.importer.operations import Declared
from connector.catalogue.importer.overlays import Overlays, matches, patched
from connector.catalogue.operation import ORDER
from connector.model import JSON, Effect

__all__ = ["REPEATABLE_VERBS", "Areas", "effect_of", "place_all", "unused"]

Entry = dict[str, JSON]
Areas = dict[str, dict[str, dict[str, Entry]]]
ACTIONS = ("list", "retrieve", "create", "update", "replace", "delete")
FROM_SOURCE = {
    "x-area": "area", "x-entity": "entity", "x-action": "action", "x-verb": "verb", "x-on": "on",
    "x-aliases": "aliases", "x-key": "key", "x-beta": "beta", "x-pages": "pages", "x-stream": "stream",
    "x-ends": "ends", "x-removed": "removed",
}  # fmt: skip
"""What an operation in an overlay's fragment may say beside OpenAPI."""


def place_all(declared: Sequence[Declared], document: Mapping[str, JSON], overlays: Overlays) -> Areas:
    """Every operation's entry by area, entity and action, in the order people look for them."""
    areas: Areas = {}
    parents = {one.path.rpartition("/{")[0] for one in declared if one.method == "GET" and one.path.endswith("}")}
    lists = {one.wire_name for one in declared if _lists(one, parents)}
    singletons = {one.path for one in declared if one.method == "GET" and one.wire_name not in lists}
    aliases = _aliases(overlays.section("aliases"))
    taken: set[tuple[str, str]] = set()
    for one in sorted(declared, key=lambda one: (one.path.count("/"), one.path, one.method)):
        name = name_operation(
            one.method, one.path, overlays.naming, lists=one.wire_name in lists, singleton=one.path in singletons
        )
        entry = _known(one, name, document, overlays, aliases)
        area, entity = entry.pop("area"), entry.pop("entity")
        action = _free(entity, entry.pop("action"), one, taken)
        areas.setdefault(area, {}).setdefault(entity, {})[action] = _ordered(entry)
    return {area: _sorted(areas[area]) for area in sorted(areas)}


def unused(declared: Sequence[Declared], overlays: Overlays) -> list[str]:
    """What the overlays say of operations that there are none of."""
    there = [one.wire_name for one in declared]
    aliased = [("aliases", wire_name) for wire_name in overlays.section("aliases").values() if wire_name not in there]
    idle = [
        ("operations", pattern) for pattern in overlays.patterns() if not any(matches(pattern, one) for one in there)
    ]
    return [f"overlays: {section}: no operation is {name}" for section, name in (*aliased, *idle)]


def _lists(one: Declared, parents: Collection[str]) -> bool:
    """Whether an operation reads a list: by its paging, or by a plural name with an answer or single items below it."""
    if one.path.endswith("}"):
        return one.lists and "pages" in one.entry
    last = [part for part in segments(one.path) if not part.startswith("{")][-1:]
    plural = any(is_plural(part) for part in last)
    return (one.lists and ("pages" in one.entry or plural)) or (plural and one.path in parents)


def _aliases(section: Mapping[str, JSON]) -> dict[str, list[str]]:
    """The overlays' aliases, by the wire name they stand for."""
    by_operation: dict[str, list[str]] = {}
    for alias, wire_name in section.items():
        by_operation.setdefault(wire_name, []).append(alias)
    return by_operation


def _known(
    one: Declared, name: Name, document: Mapping[str, JSON], overlays: Overlays, aliases: Mapping[str, list[str]]
) -> Entry:
    """All that rules, the fragment and the overlays say of an operation."""
    literals = [part for part in segments(one.path) if not part.startswith("{")]
    entry: Entry = {"area": "-".join(words(literals[0])) if literals else "root", **one.entry}
    if "x-entity" not in one.source:
        entry |= {"entity": name.entity, "action": name.action, "verb": name.verb, "on": name.on}
    entry["key"] = _key(one, document, overlays.section("keys"))
    area = overlays.area(one.path)
    said = {known: one.source[key] for key, known in FROM_SOURCE.items() if key in one.source}
    for patch in (
        {"area": area} if area else {},
        said,
        {"aliases": aliases.get(one.wire_name, [])},
        *overlays.patches(one.wire_name),
    ):
        entry = patched(entry, patch)
    return {"effect": str(effect_of(one.method, entry.get("verb"))), **entry}


def _key(one: Declared, document: Mapping[str, JSON], keys: Mapping[str, JSON]) -> str:
    schemes: Iterable[Mapping[str, JSON]] = one.source.get("security", document.get("security")) or []
    return next((keys[scheme] for item in schemes for scheme in item if scheme in keys), "project")


def _free(entity: str, action: str, one: Declared, taken: set[tuple[str, str]]) -> str:
    """The action, or one that says by what it finds its entity when a shorter path has that action already."""
    if (entity, action) in taken:
        by = [" ".join(words(part[1:-1])) for part in segments(one.path) if part.startswith("{")]
        action = f"{action} by {' and '.join(by)}" if by else f"{action} {' '.join(words(one.method))}"
    while (entity, action) in taken:
        action += " too"
    taken.add((entity, action))
    return action


def _ordered(entry: Entry) -> Entry:
    """The entry without what is default, in the notation's order."""
    defaults: Entry = {"key": "project", "effect": Effect.OPAQUE if _writes(entry) else Effect.NONE}
    method = next(key for key in entry if key in ("get", "post", "put", "patch", "delete", "head", "options"))
    kept = {key: entry[key] for key in ORDER if key in entry and entry[key] != defaults.get(key)}
    return {method: entry[method], **{key: value for key, value in kept.items() if value not in (None, [], {})}}


def _writes(entry: Entry) -> bool:
    return not {"get", "head", "options"} & entry.keys()


def _sorted(entities: Mapping[str, Mapping[str, Entry]]) -> dict[str, dict[str, Entry]]:
    def rank(action: str) -> tuple[int, str]:
        return (ACTIONS.index(action) if action in ACTIONS else len(ACTIONS), action)

    ranked = {entity: sorted(entities[entity], key=rank) for entity in sorted(entities)}
    return {entity: {action: entities[entity][action] for action in actions} for entity, actions in ranked.items()}


REPEATABLE_VERBS = frozenset({
    "update", "cancel", "pause", "resume", "archive", "unarchive", "activate", "deactivate", "enable", "disable",
    "suspend", "reject", "hangup", "validate", "restore", "stop",
})  # fmt: skip
"""Verbs that bring one thing, named by its id, into a state: a second time changes nothing more."""


def effect_of(method: str, verb: str | None) -> Effect:
    """The effect of an operation of which no overlay says more: a POST that may create is opaque."""
    if method in ("GET", "HEAD", "OPTIONS"):
        return Effect.NONE
    if method in ("DELETE", "PUT", "PATCH") or verb in REPEATABLE_VERBS:
        return Effect.IDEMPOTENT
    return Effect.OPAQUE
