"""Fields for paths and patterns."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from connector.model import JSON
from connector.request.display import kind, shown
from connector.transform.context import Scope
from connector.transform.declaration import Field
from connector.transform.fields.values import read_as_template
from connector.transform.paths import Segments, parse_path
from connector.transform.patterns import Pattern
from connector.transform.signals import Unfit
from connector.transform.site import Site
from connector.transform.text import has_placeholder

__all__ = ["At", "Fixed", "path", "pattern"]

At = Callable[[JSON, Scope], Segments]
"""A path that may depend on the document."""


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
    made = read_as_template(given, site)

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
