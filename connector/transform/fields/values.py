"""Fields for values: any JSON, and scalars that are given as such or by a placeholder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from connector.model import JSON
from connector.request.display import kind, shown
from connector.transform.context import Scope
from connector.transform.declaration import Field
from connector.transform.signals import Unfit
from connector.transform.site import Site
from connector.transform.template import Resolve, Template, compile_template, read_template

__all__ = ["boolean", "integer", "number", "raw", "read_as_template", "template", "text"]

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
    return Field("a template", summary, read_as_template, ANY, required, default, tuple(aliases), absent)


def read_as_template(given: JSON, site: Site) -> Template:
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
        made = read_as_template(given, site)
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
