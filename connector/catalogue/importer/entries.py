"""The entries of a catalogue: each declared operation with its area, its name and what the overlays add."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from connector.catalogue.importer.names import Name, is_plural, name_operation, split_path, split_words
from connector.catalogue.importer.operations import Declared
from connector.catalogue.importer.overlays import Overlays, matches, merge_patch
from connector.catalogue.operation import ORDER
from connector.model import JSON, Effect

__all__ = ["REPEATABLE_VERBS", "Areas", "build_entries", "default_effect", "find_unused"]

Entry = dict[str, JSON]
Areas = dict[str, dict[str, dict[str, Entry]]]
ACTIONS = ("list", "retrieve", "create", "update", "replace", "delete")
FROM_SOURCE = {
    "x-area": "area", "x-entity": "entity", "x-action": "action", "x-verb": "verb", "x-on": "on",
    "x-aliases": "aliases", "x-key": "key", "x-beta": "beta", "x-pages": "pages", "x-stream": "stream",
    "x-ends": "ends", "x-removed": "removed",
}  # fmt: skip
"""Extensions that an operation in an overlay may have beside OpenAPI."""


def build_entries(declared: Sequence[Declared], document: Mapping[str, JSON], overlays: Overlays) -> Areas:
    """Build the entries by area, entity and action, in the order in which people look for them."""
    areas: Areas = {}
    parents = {one.path.rpartition("/{")[0] for one in declared if one.method == "GET" and one.path.endswith("}")}
    lists = {one.wire_name for one in declared if _reads_list(one, parents)}
    singletons = {one.path for one in declared if one.method == "GET" and one.wire_name not in lists}
    aliases = _group_aliases(overlays.section("aliases"))
    taken: set[tuple[str, str]] = set()
    for one in sorted(declared, key=lambda one: (one.path.count("/"), one.path, one.method)):
        name = name_operation(
            one.method, one.path, overlays.naming, lists=one.wire_name in lists, singleton=one.path in singletons
        )
        entry = _combine(one, name, document, overlays, aliases)
        area, entity = entry.pop("area"), entry.pop("entity")
        action = _choose_action(entity, entry.pop("action"), one, taken)
        areas.setdefault(area, {}).setdefault(entity, {})[action] = _order(entry)
    return {area: _sort(areas[area]) for area in sorted(areas)}


def find_unused(declared: Sequence[Declared], overlays: Overlays) -> list[str]:
    """Return notices of overlays about operations that do not exist."""
    there = [one.wire_name for one in declared]
    aliased = [("aliases", wire_name) for wire_name in overlays.section("aliases").values() if wire_name not in there]
    idle = [
        ("operations", pattern) for pattern in overlays.patterns() if not any(matches(pattern, one) for one in there)
    ]
    return [f"overlays: {section}: no operation is {name}" for section, name in (*aliased, *idle)]


def _reads_list(one: Declared, parents: Collection[str]) -> bool:
    """Return whether an operation reads a list: it pages, or has a plural name and a list or single items below it."""
    if one.path.endswith("}"):
        return one.lists and "pages" in one.entry
    last = [part for part in split_path(one.path) if not part.startswith("{")][-1:]
    plural = any(is_plural(part) for part in last)
    return (one.lists and ("pages" in one.entry or plural)) or (plural and one.path in parents)


def _group_aliases(section: Mapping[str, JSON]) -> dict[str, list[str]]:
    """Return the overlays' aliases, by the wire name that they replace."""
    by_operation: dict[str, list[str]] = {}
    for alias, wire_name in section.items():
        by_operation.setdefault(wire_name, []).append(alias)
    return by_operation


def _combine(
    one: Declared, name: Name, document: Mapping[str, JSON], overlays: Overlays, aliases: Mapping[str, list[str]]
) -> Entry:
    """Combine what the rules, the document and the overlays say of an operation."""
    literals = [part for part in split_path(one.path) if not part.startswith("{")]
    entry: Entry = {"area": "-".join(split_words(literals[0])) if literals else "root", **one.entry}
    if "x-entity" not in one.source:
        entry |= {"entity": name.entity, "action": name.action, "verb": name.verb, "on": name.on}
    entry["key"] = _choose_key(one, document, overlays.section("keys"))
    area = overlays.area(one.path)
    said = {known: one.source[key] for key, known in FROM_SOURCE.items() if key in one.source}
    for patch in (
        {"area": area} if area else {},
        said,
        {"aliases": aliases.get(one.wire_name, [])},
        *overlays.patches(one.wire_name),
    ):
        entry = merge_patch(entry, patch)
    return {"effect": str(default_effect(one.method, entry.get("verb"))), **entry}


def _choose_key(one: Declared, document: Mapping[str, JSON], keys: Mapping[str, JSON]) -> str:
    schemes: Iterable[Mapping[str, JSON]] = one.source.get("security", document.get("security")) or []
    return next((keys[scheme] for item in schemes for scheme in item if scheme in keys), "project")


def _choose_action(entity: str, action: str, one: Declared, taken: set[tuple[str, str]]) -> str:
    """Return a free action name; one that is taken gets the parameters it finds its entity by."""
    if (entity, action) in taken:
        by = [" ".join(split_words(part[1:-1])) for part in split_path(one.path) if part.startswith("{")]
        action = f"{action} by {' and '.join(by)}" if by else f"{action} {' '.join(split_words(one.method))}"
    while (entity, action) in taken:
        action += " too"
    taken.add((entity, action))
    return action


def _order(entry: Entry) -> Entry:
    """Return an entry in the notation's order, without defaults."""
    defaults: Entry = {"key": "project", "effect": Effect.OPAQUE if _writes(entry) else Effect.NONE}
    method = next(key for key in entry if key in ("get", "post", "put", "patch", "delete", "head", "options"))
    kept = {key: entry[key] for key in ORDER if key in entry and entry[key] != defaults.get(key)}
    return {method: entry[method], **{key: value for key, value in kept.items() if value not in (None, [], {})}}


def _writes(entry: Entry) -> bool:
    return not {"get", "head", "options"} & entry.keys()


def _sort(entities: Mapping[str, Mapping[str, Entry]]) -> dict[str, dict[str, Entry]]:
    def rank(action: str) -> tuple[int, str]:
        return (ACTIONS.index(action) if action in ACTIONS else len(ACTIONS), action)

    ranked = {entity: sorted(entities[entity], key=rank) for entity in sorted(entities)}
    return {entity: {action: entities[entity][action] for action in actions} for entity, actions in ranked.items()}


REPEATABLE_VERBS = frozenset({
    "update", "cancel", "pause", "resume", "archive", "unarchive", "activate", "deactivate", "enable", "disable",
    "suspend", "reject", "hangup", "validate", "restore", "stop",
})  # fmt: skip
"""Verbs that bring one thing, named by its id, into a state: a second call changes nothing more."""


def default_effect(method: str, verb: str | None) -> Effect:
    """Return the effect of an operation without an overlay: a POST that may create is opaque."""
    if method in ("GET", "HEAD", "OPTIONS"):
        return Effect.NONE
    if method in ("DELETE", "PUT", "PATCH") or verb in REPEATABLE_VERBS:
        return Effect.IDEMPOTENT
    return Effect.OPAQUE
