"""`value-setter` and `value-remover`: keys set and taken away."""

from __future__ import annotations

from typing import Any

from connector.model import JSON, is_document
from connector.transform.context import Scope
from connector.transform.declaration import Map, Run, Step
from connector.transform.edit import Edit, assign, remove, without
from connector.transform.fields import At, Fixed, each, mappers, path, pattern, template
from connector.transform.patterns import Pattern
from connector.transform.template import Template

__all__ = ["VALUES"]


def _setter(configurations: list[dict[str, Any]]) -> Run:
    works = [_setting(item["key"], item["value"], item["mappers"]) for item in configurations]
    if len(works) == 1:
        return works[0]

    def run(document: JSON, scope: Scope) -> JSON:
        for work in works:
            document = work(document, scope)
        return document

    return run


def _setting(key: At, template: Template, maps: list[Map]) -> Run:
    value = _mapped(template.resolve, maps)
    if not isinstance(key, Fixed):
        return lambda document, scope: assign(document, key(document, scope), value(document, scope))
    segments = key.segments
    return lambda document, scope: assign(document, segments, value(document, scope))


def _mapped(resolve: Run, maps: list[Map]) -> Run:
    if not maps:
        return resolve

    def run(document: JSON, scope: Scope) -> JSON:
        value = resolve(document, scope)
        for mapper in maps:
            value = mapper(value, scope)
        return value

    return run


def _remover(patterns: list[dict[str, Pattern]]) -> Run:
    wanted = [item["key"] for item in patterns]
    plain = [pattern.segments[0] for pattern in wanted if len(pattern.segments) == 1 and pattern.is_path]
    paths = [pattern.segments for pattern in wanted if len(pattern.segments) > 1 and pattern.is_path]
    rest = [pattern for pattern in wanted if not pattern.is_path]

    def run(document: JSON, _: Scope) -> JSON:
        if not is_document(document):
            return _removed(document, wanted)
        if plain:
            document = without(document, plain)
        for keys in paths:
            document = remove(document, keys)
        return _removed(document, rest) if rest else document

    return run


def _removed(document: JSON, patterns: list[Pattern]) -> JSON:
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
        _setter,
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
        _remover,
        sole="patterns",
    ),
)
