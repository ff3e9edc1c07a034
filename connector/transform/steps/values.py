"""`value-setter` and `value-remover`: keys set and taken away."""

from __future__ import annotations

from typing import Any

from connector.model import JSON
from connector.transform.context import Scope
from connector.transform.declaration import Map, Run, Step
from connector.transform.edit import Edit, assign
from connector.transform.fields import At, Fixed, each, mappers, path, pattern, template
from connector.transform.patterns import Pattern

__all__ = ["VALUES"]


def _setter(configurations: list[dict[str, Any]]) -> Run:
    settings = [_setting(item["key"], item["value"].resolve, item["mappers"]) for item in configurations]
    if len(settings) == 1:
        return settings[0]

    def run(document: JSON, scope: Scope) -> JSON:
        for setting in settings:
            document = setting(document, scope)
        return document

    return run


def _setting(key: At, resolve: Run, maps: list[Map]) -> Run:
    value = _mapped(resolve, maps)
    if isinstance(key, Fixed) and len(key.segments) == 1:
        name, segments = key.segments[0], key.segments

        def put(document: JSON, scope: Scope) -> JSON:
            if isinstance(document, dict):
                return {**document, name: value(document, scope)}
            return assign(document, segments, value(document, scope))

        return put
    return lambda document, scope: assign(document, key(document, scope), value(document, scope))


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
    plain = {pattern.segments[0] for pattern in wanted if len(pattern.segments) == 1 and not pattern.stars}
    rest = [pattern for pattern in wanted if len(pattern.segments) != 1 or pattern.stars]

    def run(document: JSON, _: Scope) -> JSON:
        if isinstance(document, dict) and not plain.isdisjoint(document):
            document = {key: value for key, value in document.items() if key not in plain}
        if rest or not isinstance(document, dict):
            document = _removed(document, rest if isinstance(document, dict) else wanted)
        return document

    return run


def _removed(document: JSON, patterns: list[Pattern]) -> JSON:
    edit = Edit(document)
    for pattern in patterns:
        for match in pattern.matches(document):
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
                "What is removed.", {"key": pattern("A pattern.", required=True, aliases=("pattern",))}, required=True, short="key"
            )
        },
        _remover,
        sole="patterns",
    ),
)
