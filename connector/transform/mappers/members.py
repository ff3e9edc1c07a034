"""`list-extend-with` and `list-intersect-keys`: objects with more or fewer members."""

from __future__ import annotations

from connector.model import JSON, is_document, is_list
from connector.request.display import kind
from connector.transform.context import Scope
from connector.transform.declaration import Map, Mapper
from connector.transform.fields import template
from connector.transform.signals import Unfit
from connector.transform.template import Template

__all__ = ["MEMBERS"]


def _given(name: str, array: JSON) -> dict[str, JSON]:
    if is_document(array):
        return array
    if is_list(array):
        return {str(index): item for index, item in enumerate(array)}
    raise Unfit(f"{name}: array is {kind(array)}, an object is needed")


def _extend(array: Template) -> Map:
    def run(value: JSON, scope: Scope) -> JSON:
        more = array.resolve(value, scope)
        if is_list(value) and is_list(more):
            return value + more[len(value) :]
        if value is None or value == []:
            value = {}
        if not is_document(value):
            raise Unfit(f"list-extend-with: found {kind(value)}, an object is needed")
        return {**value, **{key: item for key, item in _given("list-extend-with", more).items() if key not in value}}

    return run


def _intersect(array: Template) -> Map:
    def run(value: JSON, scope: Scope) -> JSON:
        keys = _given("list-intersect-keys", array.resolve(value, scope))
        if is_list(value):
            return [item for index, item in enumerate(value) if str(index) in keys]
        if is_document(value):
            return {key: item for key, item in value.items() if key in keys}
        if value is None:
            return None
        raise Unfit(f"list-intersect-keys: found {kind(value)}, an object is needed")

    return run


MEMBERS = (
    Mapper(
        "list-extend-with",
        "Adds the members that are not there yet.",
        {"array": template("The members.", required=True)},
        _extend,
        sole="array",
    ),
    Mapper(
        "list-intersect-keys",
        "Keeps the members whose keys are named.",
        {"array": template("An object with those keys.", required=True)},
        _intersect,
        sole="array",
    ),
)
