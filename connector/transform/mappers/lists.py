"""`list-*`: count, join, sort, fill and deduplicate lists; add and remove members of objects."""

from __future__ import annotations

from typing import Any

import orjson

from connector.model import JSON, is_document, is_list
from connector.request.display import describe_value
from connector.transform.context import Scope
from connector.transform.declaration import Mapper
from connector.transform.errors import Unfit
from connector.transform.fields import PathOf, choice, integer, path, template, text
from connector.transform.mappers.base import list_mapper
from connector.transform.paths import MISSING, look_up
from connector.transform.placeholders import to_text
from connector.transform.template import Resolve, Template
from connector.transform.types import Map

__all__ = ["LISTS", "MEMBERS"]

MOST = 1_000_000


def _build_values() -> Map:
    return list_mapper("list-values", lambda items, _: items)


def _build_implode(separator: Resolve) -> Map:
    return list_mapper("list-implode", lambda items, scope: separator(items, scope).join(map(to_text, items)))


def _build_count() -> Map:
    count = list_mapper("list-count", lambda items, _: len(items))
    return lambda value, scope: 0 if value is None else count(value, scope)


def _with_keys(items: list[JSON], by: PathOf | None, scope: Scope) -> list[tuple[JSON, JSON]]:
    if by is None:
        return [(item, item) for item in items]
    return [(_get(item, by(item, scope)), item) for item in items]


def _get(item: JSON, keys: tuple[str, ...]) -> JSON:
    found = look_up(item, keys)
    return None if found is MISSING else found


def _build_unique(by: PathOf | None) -> Map:
    def work(items: list[JSON], scope: Scope) -> JSON:
        kept: dict[bytes, JSON] = {}
        for key, item in _with_keys(items, by, scope):
            kept.setdefault(orjson.dumps(key, option=orjson.OPT_SORT_KEYS), item)
        return list(kept.values())

    return list_mapper("list-unique", work)


def _rank(value: JSON) -> tuple[int, Any]:
    """Return the sort key: null, false, true, numbers, text; lists and objects by their JSON."""
    if value is None:
        return 0, 0
    if isinstance(value, bool):
        return 1, value
    if isinstance(value, int | float):
        return 2, value
    return (3, value) if isinstance(value, str) else (4, to_text(value))


def _build_sort(by: PathOf | None, order: str) -> Map:
    def work(items: list[JSON], scope: Scope) -> JSON:
        pairs = sorted(_with_keys(items, by, scope), key=lambda pair: _rank(pair[0]), reverse=order == "descending")
        return [item for _, item in pairs]

    return list_mapper("list-sort", work)


def _build_fill(start: Resolve, length: Resolve, value: Template | None) -> Map:
    def run(found: JSON, scope: Scope) -> JSON:
        first, size = start(found, scope), length(found, scope)
        if size > MOST:
            raise Unfit(f"list-fill: a list of {size} items; at most {MOST} are allowed")
        filling = found if value is None else value.resolve(found, scope)
        return [filling] * size if first == 0 else {str(first + index): filling for index in range(size)}

    return run


BY = {"by": path("What of each item is compared; the item itself unless given.", aliases=("key",))}
LISTS = (
    Mapper("list-values", "The values of an object, or a list as it is.", {}, _build_values),
    Mapper(
        "list-implode",
        "One text of all items.",
        {"separator": text("The text between them.", default=",", aliases=("glue", "delimiter"))},
        _build_implode,
        sole="separator",
    ),
    Mapper("list-count", "How many items there are; none in null.", {}, _build_count),
    Mapper("list-unique", "Each item once, the first of equals.", BY, _build_unique, sole="by"),
    Mapper(
        "list-sort",
        "The items in order: nulls, booleans, numbers, texts.",
        {**BY, "order": choice("The direction.", ("ascending", "descending"), default="ascending")},
        _build_sort,
        sole="by",
    ),
    Mapper(
        "list-fill",
        "A list of one value many times.",
        {
            "start": integer("The first position; other than 0, the result is an object of positions.", default=0),
            "length": integer("How many times.", least=0, required=True),
            "value": template("The value; the one that is mapped unless given.", optional=True),
        },
        _build_fill,
    ),
)


def _as_object(name: str, array: JSON) -> dict[str, JSON]:
    if is_document(array):
        return array
    if is_list(array):
        return {str(index): item for index, item in enumerate(array)}
    raise Unfit(f"{name}: array is {describe_value(array)}, an object is needed")


def _build_extend(array: Template) -> Map:
    def run(value: JSON, scope: Scope) -> JSON:
        more = array.resolve(value, scope)
        if is_list(value) and is_list(more):
            return value + more[len(value) :]
        if value is None or value == []:
            value = {}
        if not is_document(value):
            raise Unfit(f"list-extend-with: found {describe_value(value)}, an object is needed")
        return {
            **value,
            **{key: item for key, item in _as_object("list-extend-with", more).items() if key not in value},
        }

    return run


def _build_intersect(array: Template) -> Map:
    def run(value: JSON, scope: Scope) -> JSON:
        keys = _as_object("list-intersect-keys", array.resolve(value, scope))
        if is_list(value):
            return [item for index, item in enumerate(value) if str(index) in keys]
        if is_document(value):
            return {key: item for key, item in value.items() if key in keys}
        if value is None:
            return None
        raise Unfit(f"list-intersect-keys: found {describe_value(value)}, an object is needed")

    return run


MEMBERS = (
    Mapper(
        "list-extend-with",
        "Adds the members that are not there yet.",
        {"array": template("The members.", required=True)},
        _build_extend,
        sole="array",
    ),
    Mapper(
        "list-intersect-keys",
        "Keeps the members whose keys are named.",
        {"array": template("An object with those keys.", required=True)},
        _build_intersect,
        sole="array",
    ),
)
