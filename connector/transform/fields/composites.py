"""Fields for steps, conditions, mappers and accessors, and for lists of objects."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from connector.model import JSON, is_document, is_list
from connector.request.display import describe_value
from connector.suggestions import closest, did_you_mean
from connector.transform.declaration import Field, Location
from connector.transform.shorthand import as_parameters, to_snake_case
from connector.transform.types import Check

__all__ = ["accessor", "conditions", "each", "mappers", "steps"]

T = TypeVar("T")


def steps(summary: str, *, required: bool = False, aliases: Sequence[str] = (), gathers: bool = False) -> Field:
    """Declare steps in a row; read as a Block."""

    def read(given: JSON, location: Location) -> Any:
        block = location.builder.block(given, location)
        if block.gathers and not gathers:
            location.fault("aggregate stands inside another step", "it belongs to the row of a whole chain")
        return block

    return Field("a list of steps", summary, read, {"$ref": "#/$defs/steps"}, required, [], tuple(aliases))


def conditions(summary: str, *, required: bool = False, aliases: Sequence[str] = (), waits: bool = False) -> Field:
    """Declare conditions that all must hold; read as a list of Checks."""

    def read(given: JSON, location: Location) -> list[Check]:
        found = _read_list(given, location, location.builder.condition, "conditions")
        for check in found:
            if check.awaits and not waits:
                location.fault(
                    f"{check.name} stands where nothing can wait", "filters of data, node and conditional can"
                )
        return found

    return Field("a list of conditions", summary, read, {"$ref": "#/$defs/conditions"}, required, [], tuple(aliases))


def mappers(summary: str, *, required: bool = False, aliases: Sequence[str] = ()) -> Field:
    """Declare mappers, one after the other; read as a list of Maps."""

    def read(given: JSON, location: Location) -> Any:
        return _read_list(given, location, location.builder.mapper, "mappers")

    return Field("a list of mappers", summary, read, {"$ref": "#/$defs/mappers"}, required, [], tuple(aliases))


def _read_list(given: JSON, location: Location, one: Callable[[JSON, Location], T], noun: str) -> list[T]:
    if isinstance(given, str) or is_document(given):
        return [one(given, location)] if given else []
    if not is_list(given):
        location.fault(f"found {describe_value(given)}", f"a list of {noun} is needed")
        return []
    return [one(item, location.at(index)) for index, item in enumerate(given)]


def accessor(summary: str, *, required: bool = False, default: JSON = None, aliases: Sequence[str] = ()) -> Field:
    """Declare an accessor, or a pattern in its place; read as a Selector."""

    def read(given: JSON, location: Location) -> Any:
        return location.builder.accessor(given, location)

    return Field("an accessor", summary, read, {"$ref": "#/$defs/accessor"}, required, default, tuple(aliases))


def each(
    summary: str, fields: Mapping[str, Field], *, required: bool = False, short: str = "", value: str = ""
) -> Field:
    """Declare a list of objects with these fields; read as a list of dicts.

    Args:
        short: the field that gets an item which is not an object.
        value: with it, an object may replace the list: its keys are `short`, its values are `value`.
    """

    def read(given: JSON, location: Location) -> list[dict[str, Any]]:
        if is_document(given) and value and not given.keys() <= {*fields}:
            return [_read_members(fields, {short: key, value: item}, location.at(key)) for key, item in given.items()]
        if is_document(given) or isinstance(given, str):
            return [_read_item(fields, given, location, short)] if given else []
        if not is_list(given):
            location.fault(f"found {describe_value(given)}", "a list of objects is needed")
            return []
        return [_read_item(fields, item, location.at(index), short) for index, item in enumerate(given)]

    schema: dict[str, JSON] = {"type": "array", "items": _object_schema(fields)}
    return Field("a list of objects", summary, read, schema, required, [], members=fields)


def _read_item(fields: Mapping[str, Field], given: JSON, location: Location, short: str) -> dict[str, Any]:
    if is_document(given) or not short:
        return _read_members(fields, as_parameters(given, location), location, keyed=True)
    return _read_members(fields, {short: given}, location)


def _read_members(
    fields: Mapping[str, Field], given: Mapping[str, JSON], location: Location, *, keyed: bool = False
) -> dict[str, Any]:
    """Read the fields of one object; unless keyed, the given value has no keys of its own."""
    spelt = {alias: name for name, field in fields.items() for alias in (name, *field.aliases)}
    written: dict[str, str] = {}
    for key in given:
        name = spelt.get(key) or spelt.get(to_snake_case(key))
        if name is None:
            meant = did_you_mean(closest(to_snake_case(key), fields))
            location.at(key).fault("unknown key", f"known here: {', '.join(fields)}", meant)
        else:
            written[name] = key
    found: dict[str, Any] = {}
    for name, field in fields.items():
        if name in written and (given[written[name]] is not None or field.nulls):
            found[name] = field.read(given[written[name]], location.at(written[name]) if keyed else location)
        elif field.required:
            location.at(name).fault("missing", field.summary)
        else:
            found[name] = field.absent if field.default is None else field.read(field.default, location.at(name))
    return found


def _object_schema(fields: Mapping[str, Field]) -> dict[str, JSON]:
    schema: dict[str, JSON] = {
        "type": "object",
        "properties": {name: {**field.schema, "description": field.summary} for name, field in fields.items()},
        "additionalProperties": False,
    }
    required = [name for name, field in fields.items() if field.required]
    return schema | ({"required": required} if required else {})
