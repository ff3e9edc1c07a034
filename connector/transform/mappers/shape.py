"""`default` and `structure`: a value where there is none, and JSON built around a value."""

from __future__ import annotations

from connector.transform.conditions.compare import is_empty
from connector.transform.declaration import Map, Mapper
from connector.transform.fields import template
from connector.transform.template import Template

__all__ = ["SHAPE"]


def _default(value: Template) -> Map:
    resolve = value.resolve
    return lambda found, scope: resolve(found, scope) if is_empty(found) else found


def _structure(template: Template) -> Map:
    return template.resolve


SHAPE = (
    Mapper(
        "default",
        "Another value in place of null, or of an empty text, list or object.",
        {"value": template("The value.", required=True)},
        _default,
        sole="value",
    ),
    Mapper(
        "structure",
        "JSON built around the value.",
        {"template": template("The JSON; &{@} is the value.", required=True, aliases=("structure", "value"))},
        _structure,
    ),
)
