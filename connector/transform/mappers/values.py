"""`dictionary-map`, `default`, `structure`: another value from a table, a default or a template."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connector.model import JSON, is_document, is_list
from connector.request.display import describe_value
from connector.transform.conditions.values import is_empty, same
from connector.transform.context import Scope
from connector.transform.declaration import Field, Location, Mapper
from connector.transform.fields import choice, template
from connector.transform.regex import compile_regex
from connector.transform.template import Template
from connector.transform.types import Map

__all__ = ["DICTIONARY", "SHAPE"]

Pairs = list[tuple[JSON, JSON]]


def _is_match(value: JSON, pattern: JSON) -> bool:
    return compile_regex(pattern).search(value) is not None


MATCHERS: dict[str, Callable[[JSON, JSON], bool]] = {"equals": same, "matches": _is_match}


def _build_dictionary(map: Pairs, comparator: str, default: Template | None) -> Map:  # noqa: A002  the platform's name
    if comparator == "equals" and all(isinstance(key, str) for key, _ in map):
        return _build_text_table(dict(reversed(map)), default)
    matches = MATCHERS[comparator]

    def run(value: JSON, scope: Scope) -> JSON:
        if comparator == "equals" or isinstance(value, str):
            for key, mapped in map:
                if matches(value, key):
                    return mapped
        return value if default is None else default.resolve(value, scope)

    return run


def _build_text_table(table: dict[str, JSON], default: Template | None) -> Map:
    def run(value: JSON, scope: Scope) -> JSON:
        if isinstance(value, str) and value in table:
            return table[value]
        return value if default is None else default.resolve(value, scope)

    return run


def _read_pairs(given: JSON, location: Location) -> Pairs:
    if is_document(given):
        return list(given.items())
    if is_list(given) and all(is_list(pair) and len(pair) == 2 for pair in given):
        return [(pair[0], pair[1]) for pair in given]
    location.fault(f"found {describe_value(given)}", "an object, or a list of [from, to] pairs, is needed")
    return []


SCHEMA: dict[str, Any] = {
    "anyOf": [{"type": "object"}, {"type": "array", "items": {"type": "array", "minItems": 2, "maxItems": 2}}]
}
DICTIONARY = (
    Mapper(
        "dictionary-map",
        "Looks the value up in a table.",
        {
            "map": Field("an object or pairs", "What each value becomes.", _read_pairs, SCHEMA, required=True),
            "comparator": choice("How values are found.", tuple(MATCHERS), default="equals"),
            "default": template("What any other value becomes; itself unless given.", optional=True),
        },
        _build_dictionary,
        sole="map",
    ),
)


def _build_default(value: Template) -> Map:
    resolve = value.resolve
    return lambda found, scope: resolve(found, scope) if is_empty(found) else found


def _build_structure(template: Template) -> Map:
    return template.resolve


SHAPE = (
    Mapper(
        "default",
        "Another value in place of null, or of an empty text, list or object.",
        {"value": template("The value.", required=True)},
        _build_default,
        sole="value",
    ),
    Mapper(
        "structure",
        "JSON built around the value.",
        {"template": template("The JSON; &{@} is the value.", required=True, aliases=("structure", "value"))},
        _build_structure,
    ),
)
