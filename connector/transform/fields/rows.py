"""Fields for what chains are made of: steps, conditions, mappers, accessors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from connector.model import JSON, is_document, is_list
from connector.request.display import kind
from connector.transform.declaration import Field, Test
from connector.transform.site import Site

__all__ = ["accessor", "conditions", "mappers", "steps"]

T = TypeVar("T")


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
    if isinstance(given, str) or is_document(given):
        return [one(given, site)] if given else []
    if not is_list(given):
        site.fault(f"found {kind(given)}", f"a list of {noun} is needed")
        return []
    return [one(item, site.at(index)) for index, item in enumerate(given)]


def accessor(summary: str, *, required: bool = False, default: JSON = None, aliases: Sequence[str] = ()) -> Field:
    """An accessor, or the pattern it stands for; read as a Look."""

    def read(given: JSON, site: Site) -> Any:
        return site.compiler.accessor(given, site)

    return Field("an accessor", summary, read, {"$ref": "#/$defs/accessor"}, required, default, tuple(aliases))
