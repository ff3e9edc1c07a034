"""`value-setter`, `value-remover`, `recursively-copy-values-to-children`: values set, removed, and copied down."""

from __future__ import annotations

from typing import Any

from connector.model import JSON, is_document
from connector.request.display import describe_value
from connector.transform.context import Scope
from connector.transform.declaration import Step
from connector.transform.edit import Edit, assign, drop_keys, merge, remove
from connector.transform.errors import Unfit
from connector.transform.fields import FixedPath, PathOf, each, mappers, path, pattern, template
from connector.transform.paths import Pattern
from connector.transform.template import Template
from connector.transform.types import Map, Run

__all__ = ["RECURSIVE_COPY", "VALUES"]


def _build_setter(configurations: list[dict[str, Any]]) -> Run:
    works = [_set_one(item["key"], item["value"], item["mappers"]) for item in configurations]
    if len(works) == 1:
        return works[0]

    def run(document: JSON, scope: Scope) -> JSON:
        for work in works:
            document = work(document, scope)
        return document

    return run


def _set_one(key: PathOf, template: Template, maps: list[Map]) -> Run:
    value = _apply_mappers(template.resolve, maps)
    if not isinstance(key, FixedPath):
        return lambda document, scope: assign(document, key(document, scope), value(document, scope))
    segments = key.segments
    return lambda document, scope: assign(document, segments, value(document, scope))


def _apply_mappers(resolve: Run, maps: list[Map]) -> Run:
    if not maps:
        return resolve

    def run(document: JSON, scope: Scope) -> JSON:
        value = resolve(document, scope)
        for mapper in maps:
            value = mapper(value, scope)
        return value

    return run


def _build_remover(patterns: list[dict[str, Pattern]]) -> Run:
    wanted = [item["key"] for item in patterns]
    plain = [pattern.segments[0] for pattern in wanted if len(pattern.segments) == 1 and pattern.is_path]
    paths = [pattern.segments for pattern in wanted if len(pattern.segments) > 1 and pattern.is_path]
    rest = [pattern for pattern in wanted if not pattern.is_path]

    def run(document: JSON, _: Scope) -> JSON:
        if not is_document(document):
            return _remove_matches(document, wanted)
        if plain:
            document = drop_keys(document, plain)
        for keys in paths:
            document = remove(document, keys)
        return _remove_matches(document, rest) if rest else document

    return run


def _remove_matches(document: JSON, patterns: list[Pattern]) -> JSON:
    edit = Edit(document)
    for wanted in patterns:
        for match in wanted.matches(document):
            edit.remove(match.path)
    return edit.end()


SETTING = {
    "key": path("The dotted path that is set.", required=True),
    "value": template("The value; null unless given."),
    "mappers": mappers("What is done to the value first."),
}
VALUES = (
    Step(
        "value-setter",
        "Sets keys, one after the other; short: {key: value}.",
        {"configurations": each("What is set.", SETTING, required=True, short="key", value="value")},
        _build_setter,
    ),
    Step(
        "value-remover",
        "Removes what patterns lead to.",
        {
            "patterns": each(
                "What is removed.",
                {"key": pattern("A pattern.", required=True, aliases=("pattern",))},
                required=True,
                short="key",
            )
        },
        _build_remover,
        sole="patterns",
    ),
)


def _build_recursive_copy(children_pattern: Pattern, merge_template: Template) -> Run:
    def run(document: JSON, scope: Scope) -> JSON:
        matches = list(children_pattern.matches(document))
        if not matches:
            return document
        values: JSON = merge_template.resolve(document, scope) or {}
        if not is_document(values):
            raise Unfit(f"merge_template makes {describe_value(values)}, an object is needed")
        edit = Edit(document)
        for match in matches:
            edit.set(match.path, merge(match.value or {}, values))
        return edit.end()

    return run


RECURSIVE_COPY = Step(
    "recursively-copy-values-to-children",
    "Merges values of the document into each of its parts that a pattern leads to.",
    {
        "children_pattern": pattern("The parts, orders.*.lines.* for example.", required=True),
        "merge_template": template("The values; placeholders read the document.", required=True),
    },
    _build_recursive_copy,
)
