"""Fields for values: any JSON, scalars given as such or by a placeholder, words, paths and patterns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from connector.model import JSON, is_list
from connector.request.display import describe_value, show_value
from connector.suggestions import closest, did_you_mean
from connector.transform.context import Scope
from connector.transform.declaration import Field, Location
from connector.transform.errors import Unfit
from connector.transform.paths import Pattern, Segments, parse_path
from connector.transform.placeholders import has_placeholder
from connector.transform.template import Resolve, Template, compile_template, read_template

__all__ = [
    "FixedPath",
    "PathOf",
    "boolean",
    "choice",
    "integer",
    "names",
    "number",
    "path",
    "pattern",
    "raw",
    "read_as_template",
    "template",
    "text",
    "word",
]

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
    """Declare any JSON with placeholders; read as a Template, null when not given, or None when optional."""
    absent = None if optional else NULL
    return Field("a template", summary, read_as_template, ANY, required, default, tuple(aliases), absent)


def read_as_template(given: JSON, location: Location) -> Template:
    return read_template(given, location.path, location.parameters, location.builder.faults)


def raw(summary: str, *, required: bool = False, default: JSON = None) -> Field:
    """Declare any JSON as it is."""
    return Field("any JSON", summary, lambda given, _: given, ANY, required, default)


def _scalar_field(words: str, types: tuple[type, ...], schema: Mapping[str, JSON], check: Callable[[Any], str]) -> Any:
    """Return a maker of fields of one scalar type; a value from a placeholder is checked for each document."""

    def fault(value: JSON) -> str:
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            return f"found {describe_value(value)}"
        return check(value)

    def read(given: JSON, location: Location) -> Resolve | None:
        if given is None:
            return None
        made = read_as_template(given, location)
        if made.constant:
            if wrong := fault(made.value):
                location.fault(wrong, f"{words} is needed")
            value = made.value
            return lambda _document, _scope: value

        def resolve(document: JSON, scope: Scope) -> JSON:
            value = made.resolve(document, scope)
            if wrong := fault(value):
                raise Unfit(f"{show_value(given)}: {wrong}, {words} is needed")
            return value

        return resolve

    def field(summary: str, *, required: bool = False, default: JSON = None, aliases: Sequence[str] = ()) -> Field:
        allowed = {"anyOf": [schema, HOLDER]} if schema.get("type") != "string" else schema
        return Field(words, summary, read, allowed, required, default, tuple(aliases))

    return field


def _accept_any(_: Any) -> str:
    return ""


text = _scalar_field("a text", (str,), {"type": "string"}, _accept_any)
number = _scalar_field("a number", (int, float), {"type": "number"}, _accept_any)
boolean = _scalar_field("true or false", (bool,), {"type": "boolean"}, _accept_any)


def integer(
    summary: str,
    *,
    least: int | None = None,
    most: int | None = None,
    required: bool = False,
    default: int | None = None,
    aliases: Sequence[str] = (),
) -> Field:
    """Declare a whole number within bounds."""

    def check(value: int) -> str:
        below, above = least is not None and value < least, most is not None and value > most
        return f"found {value}" if below or above else ""

    bounds = [f"at least {least}"] * (least is not None) + [f"at most {most}"] * (most is not None)
    schema: dict[str, JSON] = {"type": "integer"}
    schema |= {"minimum": least} if least is not None else {}
    schema |= {"maximum": most} if most is not None else {}
    words = " ".join(["a whole number", " and ".join(bounds)]).strip()
    made: Field = _scalar_field(words, (int,), schema, check)(
        summary, required=required, default=default, aliases=aliases
    )
    return made


def word(summary: str, *, required: bool = False, default: str | None = None, aliases: Sequence[str] = ()) -> Field:
    """Declare a name without placeholders, such as a storage's; it may be empty only when not required."""

    def read(given: JSON, location: Location) -> str | None:
        if not isinstance(given, str) or (required and not given):
            location.fault(f"found {describe_value(given)}", "a name is needed")
            return None
        return given

    return Field("a name", summary, read, {"type": "string"}, required, default, tuple(aliases))


def choice(summary: str, options: Sequence[str], *, required: bool = False, default: str | None = None) -> Field:
    """Declare one of a few words."""

    def read(given: JSON, location: Location) -> str | None:
        if given not in options:
            meant = did_you_mean(closest(given, options)) if isinstance(given, str) else ""
            location.fault(f"found {show_value(given)}", f"allowed: {', '.join(options)}", meant)
            return None
        return str(given)

    return Field(" or ".join(options), summary, read, {"enum": list(options)}, required, default)


def names(summary: str, *, required: bool = False, aliases: Sequence[str] = ()) -> Field:
    """Declare a list of names."""

    def read(given: JSON, location: Location) -> list[str]:
        if isinstance(given, str | int) and not isinstance(given, bool):
            given = [given]
        if not is_list(given) or any(not isinstance(item, str | int) for item in given):
            location.fault(f"found {describe_value(given)}", "a list of names is needed")
            return []
        return [str(item) for item in given]

    schema: dict[str, JSON] = {"type": "array", "items": {"type": ["string", "integer"]}}
    return Field("a list of names", summary, read, schema, required, [], tuple(aliases))


PathOf = Callable[[JSON, Scope], Segments]
"""Returns a path, which may depend on the document."""


def path(summary: str, *, required: bool = False, default: str | None = None, aliases: Sequence[str] = ()) -> Field:
    """Declare a dotted path, with placeholders or without; read as a PathOf."""
    schema = {"type": "string"}
    return Field("a dotted path", summary, _read_path, schema, required, default, tuple(aliases))


def _read_path(given: JSON, location: Location) -> PathOf | None:
    if isinstance(given, int) and not isinstance(given, bool):
        given = str(given)
    if not isinstance(given, str):
        location.fault(f"found {describe_value(given)}", "a dotted path such as meta.color is needed")
        return None
    try:
        if not has_placeholder(given):
            segments = parse_path(given)
            return FixedPath(segments)
    except Unfit as error:
        location.fault(str(error), "a dotted path such as meta.color is needed")
        return None
    made = read_as_template(given, location)

    def resolve(document: JSON, scope: Scope) -> Segments:
        found = made.resolve(document, scope)
        if isinstance(found, int) and not isinstance(found, bool):
            return (str(found),)
        if not isinstance(found, str):
            raise Unfit(f"{show_value(given)}: found {describe_value(found)}, a dotted path is needed")
        return parse_path(found)

    return resolve


class FixedPath:
    """A path that is the same for every document."""

    __slots__ = ("segments",)

    def __init__(self, segments: Segments) -> None:
        self.segments = segments

    def __call__(self, _document: JSON, _scope: Scope, /) -> Segments:
        return self.segments


def pattern(summary: str, *, required: bool = False, default: str | None = None, aliases: Sequence[str] = ()) -> Field:
    """Declare a dotted path in which `*` matches any key; read as a Pattern."""

    def read(given: JSON, location: Location) -> Pattern | None:
        if not isinstance(given, str):
            location.fault(f"found {describe_value(given)}", "a pattern such as items.*.price is needed")
            return None
        try:
            return Pattern.parse(given)
        except Unfit as error:
            location.fault(str(error), "a pattern such as items.*.price is needed")
            return None

    return Field("a pattern", summary, read, {"type": "string"}, required, default, tuple(aliases))
