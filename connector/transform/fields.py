"""The kinds of fields that declarations are made of: each reads what was given, and has its JSON Schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from connector.model import JSON, is_document, is_list
from connector.request.shown import kind, shown
from connector.suggest import closest, did_you_mean
from connector.transform.context import Scope
from connector.transform.declaration import Field, Test
from connector.transform.edit import merge
from connector.transform.paths import Segments, parse_path
from connector.transform.patterns import Pattern
from connector.transform.signals import Unfit
from connector.transform.site import Site
from connector.transform.spelling import parameters_of, snake
from connector.transform.template import Resolve, Template, compile_template, read_template
from connector.transform.text import has_placeholder

__all__ = [
    "At",
    "accessor",
    "boolean",
    "choice",
    "conditions",
    "each",
    "integer",
    "mappers",
    "names",
    "number",
    "path",
    "pattern",
    "raw",
    "steps",
    "template",
    "text",
    "word",
]

T = TypeVar("T")
At = Callable[[JSON, Scope], Segments]
"""A path that may depend on the document."""
HOLDER: Mapping[str, JSON] = {"type": "string", "pattern": r"[&?@]\{"}
ANY: Mapping[str, JSON] = {}
NULL = compile_template(None)


def template(
    summary: str,
    *,
    required: bool = False,
    default: JSON = None,
    aliases: Sequence[str] = (),
    optional: bool = False,
) -> Field:
    """Any JSON with placeholders; read as a Template, which is null when nothing is given, or None when optional."""
    absent = None if optional else NULL
    return Field("a template", summary, _template, ANY, required, default, tuple(aliases), absent)


def _template(given: JSON, site: Site) -> Template:
    return read_template(given, site.place, site.parameters, site.compiler.faults)


def raw(summary: str, *, required: bool = False, default: JSON = None) -> Field:
    """Any JSON as it is."""
    return Field("any JSON", summary, lambda given, _: given, ANY, required, default)


def _setting(words: str, types: tuple[type, ...], schema: Mapping[str, JSON], check: Callable[[Any], str]) -> Any:
    """A maker of fields for one scalar type: given as such, or by a placeholder and checked for each document."""

    def fault(value: JSON) -> str:
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            return f"found {kind(value)}"
        return check(value)

    def read(given: JSON, site: Site) -> Resolve | None:
        if given is None:
            return None
        made = _template(given, site)
        if made.constant:
            if wrong := fault(made.value):
                site.fault(wrong, f"{words} is needed")
            value = made.value
            return lambda _document, _scope: value

        def resolve(document: JSON, scope: Scope) -> JSON:
            value = made.resolve(document, scope)
            if wrong := fault(value):
                raise Unfit(f"{shown(given)}: {wrong}, {words} is needed")
            return value

        return resolve

    def field(summary: str, *, required: bool = False, default: JSON = None, aliases: Sequence[str] = ()) -> Field:
        allowed = {"anyOf": [schema, HOLDER]} if schema.get("type") != "string" else schema
        return Field(words, summary, read, allowed, required, default, tuple(aliases))

    return field


def _nothing(_: Any) -> str:
    return ""


text = _setting("a text", (str,), {"type": "string"}, _nothing)
number = _setting("a number", (int, float), {"type": "number"}, _nothing)
boolean = _setting("true or false", (bool,), {"type": "boolean"}, _nothing)


def integer(
    summary: str,
    *,
    least: int | None = None,
    most: int | None = None,
    required: bool = False,
    default: int | None = None,
    aliases: Sequence[str] = (),
) -> Field:
    """A whole number within bounds."""

    def check(value: int) -> str:
        below, above = least is not None and value < least, most is not None and value > most
        return f"found {value}" if below or above else ""

    bounds = [f"at least {least}"] * (least is not None) + [f"at most {most}"] * (most is not None)
    schema: dict[str, JSON] = {"type": "integer"}
    schema |= {"minimum": least} if least is not None else {}
    schema |= {"maximum": most} if most is not None else {}
    words = " ".join(["a whole number", " and ".join(bounds)]).strip()
    made: Field = _setting(words, (int,), schema, check)(summary, required=required, default=default, aliases=aliases)
    return made


def word(summary: str, *, required: bool = False, default: str | None = None, aliases: Sequence[str] = ()) -> Field:
    """A name that is fixed when the chain is written, such as a storage's; empty allowed only when not required."""

    def read(given: JSON, site: Site) -> str | None:
        if not isinstance(given, str) or (required and not given):
            site.fault(f"found {kind(given)}", "a name is needed")
            return None
        return given

    return Field("a name", summary, read, {"type": "string"}, required, default, tuple(aliases))


def choice(summary: str, options: Sequence[str], *, required: bool = False, default: str | None = None) -> Field:
    """One of a few words."""

    def read(given: JSON, site: Site) -> str | None:
        if given not in options:
            meant = did_you_mean(closest(given, options)) if isinstance(given, str) else ""
            site.fault(f"found {shown(given)}", f"allowed: {', '.join(options)}", meant)
            return None
        return str(given)

    return Field(" or ".join(options), summary, read, {"enum": list(options)}, required, default)


def path(summary: str, *, required: bool = False, default: str | None = None, aliases: Sequence[str] = ()) -> Field:
    """A dotted path, which placeholders may be part of; read as an At."""
    schema = {"type": "string"}
    return Field("a dotted path", summary, _path, schema, required, default, tuple(aliases))


def _path(given: JSON, site: Site) -> At | None:
    if isinstance(given, int) and not isinstance(given, bool):
        given = str(given)
    if not isinstance(given, str):
        site.fault(f"found {kind(given)}", "a dotted path such as meta.color is needed")
        return None
    try:
        if not has_placeholder(given):
            segments = parse_path(given)
            return Fixed(segments)
    except Unfit as error:
        site.fault(str(error), "a dotted path such as meta.color is needed")
        return None
    made = _template(given, site)

    def resolve(document: JSON, scope: Scope) -> Segments:
        found = made.resolve(document, scope)
        if isinstance(found, int) and not isinstance(found, bool):
            return (str(found),)
        if not isinstance(found, str):
            raise Unfit(f"{shown(given)}: found {kind(found)}, a dotted path is needed")
        return parse_path(found)

    return resolve


class Fixed:
    """A path that is the same for every document."""

    __slots__ = ("segments",)

    def __init__(self, segments: Segments) -> None:
        self.segments = segments

    def __call__(self, _document: JSON, _scope: Scope, /) -> Segments:
        return self.segments


def pattern(summary: str, *, required: bool = False, default: str | None = None, aliases: Sequence[str] = ()) -> Field:
    """A dotted path in which `*` stands for any key; read as a Pattern."""

    def read(given: JSON, site: Site) -> Pattern | None:
        if not isinstance(given, str):
            site.fault(f"found {kind(given)}", "a pattern such as items.*.price is needed")
            return None
        try:
            return Pattern.parse(given)
        except Unfit as error:
            site.fault(str(error), "a pattern such as items.*.price is needed")
            return None

    return Field("a pattern", summary, read, {"type": "string"}, required, default, tuple(aliases))


def names(summary: str, *, required: bool = False, aliases: Sequence[str] = ()) -> Field:
    """A list of texts."""

    def read(given: JSON, site: Site) -> list[str]:
        if isinstance(given, str | int) and not isinstance(given, bool):
            given = [given]
        if not is_list(given) or any(not isinstance(item, str | int) for item in given):
            site.fault(f"found {kind(given)}", "a list of names is needed")
            return []
        return [str(item) for item in given]

    schema = {"type": "array", "items": {"type": ["string", "integer"]}}
    return Field("a list of names", summary, read, schema, required, [], tuple(aliases))


def steps(summary: str, *, required: bool = False, aliases: Sequence[str] = (), gathers: bool = False) -> Field:
    """A row of steps; read as a Block."""

    def read(given: JSON, site: Site) -> Any:
        block = site.compiler.block(given, site)
        if block.gathers and not gathers:
            site.fault("aggregate stands inside another step", "it belongs to the row of a whole chain")
        return block

    return Field("a list of steps", summary, read, {"$ref": "#/$defs/steps"}, required, [], tuple(aliases))


def conditions(summary: str, *, required: bool = False, aliases: Sequence[str] = (), waits: bool = False) -> Field:
    """Conditions that all must hold; read as a list of Tests."""

    def read(given: JSON, site: Site) -> list[Test]:
        found = _listed(given, site, site.compiler.condition, "conditions")
        for test in found:
            if test.awaits and not waits:
                site.fault(f"{test.name} stands where nothing can wait", "filters of data, node and conditional can")
        return found

    return Field("a list of conditions", summary, read, {"$ref": "#/$defs/conditions"}, required, [], tuple(aliases))


def mappers(summary: str, *, required: bool = False, aliases: Sequence[str] = ()) -> Field:
    """Mappers, one after the other; read as a list of Maps."""

    def read(given: JSON, site: Site) -> Any:
        return _listed(given, site, site.compiler.mapper, "mappers")

    return Field("a list of mappers", summary, read, {"$ref": "#/$defs/mappers"}, required, [], tuple(aliases))


def _listed(given: JSON, site: Site, one: Callable[[JSON, Site], T], noun: str) -> list[T]:
    if isinstance(given, str | dict):
        given = [given] if given else []
    if not is_list(given):
        site.fault(f"found {kind(given)}", f"a list of {noun} is needed")
        return []
    return [one(item, site.at(index)) for index, item in enumerate(given)]


def accessor(summary: str, *, required: bool = False, default: JSON = None, aliases: Sequence[str] = ()) -> Field:
    """An accessor, or the pattern it stands for; read as a Look."""

    def read(given: JSON, site: Site) -> Any:
        return site.compiler.accessor(given, site)

    return Field("an accessor", summary, read, {"$ref": "#/$defs/accessor"}, required, default, tuple(aliases))


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
            return [_members(fields, {short: key, value: item}, site.at(key), key) for key, item in given.items()]
        if isinstance(given, str | dict):
            given = [given] if given else []
        if not is_list(given):
            site.fault(f"found {kind(given)}", "a list of objects is needed")
            return []
        return [
            _members(fields, parameters_of(item, site.at(index), short), site.at(index))
            for index, item in enumerate(given)
        ]

    items = object_schema(fields)
    return Field("a list of objects", summary, read, {"type": "array", "items": items}, required, [])


def _members(
    fields: Mapping[str, Field], given: Mapping[str, JSON], site: Site, key: str | None = None
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    spelt = {alias: name for name, field in fields.items() for alias in (name, *field.aliases)}
    for written in given:
        if spelt.get(written, spelt.get(snake(written))) is None:
            site.at(written).fault(
                "unknown key", f"known here: {', '.join(fields)}", did_you_mean(closest(written, fields))
            )
    for name, field in fields.items():
        at = next((written for written in given if spelt.get(written, spelt.get(snake(written))) == name), None)
        if at is not None:
            found[name] = field.read(given[at], site if key is not None else site.at(at))
        elif field.required:
            site.at(name).fault("missing", field.summary)
        else:
            found[name] = field.absent if field.default is None else field.read(field.default, site.at(name))
    return found


def object_schema(fields: Mapping[str, Field]) -> dict[str, JSON]:
    """The JSON Schema of an object with these fields."""
    schema: dict[str, JSON] = {
        "type": "object",
        "properties": {
            name: merge(dict(field.schema), {"description": field.summary}) for name, field in fields.items()
        },
        "additionalProperties": False,
    }
    required = [name for name, field in fields.items() if field.required]
    return schema | ({"required": required} if required else {})
