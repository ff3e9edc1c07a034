"""Fields for lists of objects with fields of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.model import JSON, is_document, is_list
from connector.request.display import kind
from connector.suggestions import closest, did_you_mean
from connector.transform.declaration import Field
from connector.transform.site import Site
from connector.transform.spelling import parameters_of, snake

__all__ = ["each"]


def each(
    summary: str, fields: Mapping[str, Field], *, required: bool = False, short: str = "", value: str = ""
) -> Field:
    """A list of objects with these fields; read as a list of dicts.

    Args:
        short: the field that an item which is no object stands for.
        value: with it, an object may stand for the list: its keys are `short`, its values are `value`.
    """

    def read(given: JSON, site: Site) -> list[dict[str, Any]]:
        if is_document(given) and value and not given.keys() <= {*fields}:
            return [_members(fields, {short: key, value: item}, site.at(key)) for key, item in given.items()]
        if is_document(given) or isinstance(given, str):
            return [_member(fields, given, site, short)] if given else []
        if not is_list(given):
            site.fault(f"found {kind(given)}", "a list of objects is needed")
            return []
        return [_member(fields, item, site.at(index), short) for index, item in enumerate(given)]

    schema = {"type": "array", "items": _object_schema(fields)}
    return Field("a list of objects", summary, read, schema, required, [], members=fields)


def _member(fields: Mapping[str, Field], given: JSON, site: Site, short: str) -> dict[str, Any]:
    if is_document(given) or not short:
        return _members(fields, parameters_of(given, site), site, keyed=True)
    return _members(fields, {short: given}, site)


def _members(
    fields: Mapping[str, Field], given: Mapping[str, JSON], site: Site, *, keyed: bool = False
) -> dict[str, Any]:
    """The fields of one object; unless keyed, what is given has no keys of its own."""
    spelt = {alias: name for name, field in fields.items() for alias in (name, *field.aliases)}
    written: dict[str, str] = {}
    for key in given:
        name = spelt.get(key) or spelt.get(snake(key))
        if name is None:
            meant = did_you_mean(closest(snake(key), fields))
            site.at(key).fault("unknown key", f"known here: {', '.join(fields)}", meant)
        else:
            written[name] = key
    found: dict[str, Any] = {}
    for name, field in fields.items():
        if name in written and (given[written[name]] is not None or field.nulls):
            found[name] = field.read(given[written[name]], site.at(written[name]) if keyed else site)
        elif field.required:
            site.at(name).fault("missing", field.summary)
        else:
            found[name] = field.absent if field.default is None else field.read(field.default, site.at(name))
    return found


def _object_schema(fields: Mapping[str, Field]) -> dict[str, JSON]:
    schema: dict[str, JSON] = {
        "type": "object",
        "properties": {name: {**field.schema, "description": field.summary} for name, field in fields.items()},
        "additionalProperties": False,
    }
    required = [name for name, field in fields.items() if field.required]
    return schema | ({"required": required} if required else {})
