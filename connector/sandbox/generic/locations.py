"""Where the objects of an operation are stored: their kind, their id and their parent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from connector.catalogue import Catalogue, Operation

__all__ = ["SINGLETON", "Location", "Locations"]

SINGLETON = "only"
"""The id of an object that exists once, such as a project's spend limit."""
PARAMETER = re.compile(r"\{([^{}]+)\}")


class Location(NamedTuple):
    """A kind of object below a parent; with an id, one object."""

    kind: str
    parent: str
    id: str | None = None
    own: str | None = None
    """The path parameter that holds the id."""


class Locations:
    """The locations of a catalogue's entities."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._singles: dict[str, str] = {}
        """The template of one object, by entity."""
        self._makeable: dict[str, str] = {}
        """The entity whose objects the API creates, by the template of one object without names."""
        for operation in catalogue.operations():
            if operation.action in ("retrieve", "delete"):
                self._singles.setdefault(operation.entity, operation.template)
        for operation in catalogue.operations():
            single = self._singles.get(operation.entity)
            if operation.action == "create" and single is not None and not operation.removed:
                self._makeable.setdefault(_without_names(single), operation.entity)

    def locate(self, operation: Operation, path: Mapping[str, str]) -> Location:
        """Return the location of an operation's objects."""
        kind = operation.on or operation.entity
        single = self._singles.get(kind)
        if operation.action in ("list", "create") and operation.on is None:
            own = PARAMETER.findall(single)[-1] if single and single.endswith("}") else None
            return Location(kind, _join_ids(path, operation.parameters), None, own)
        names = PARAMETER.findall(self._within(single, operation.template))
        if (single or operation.template).endswith("}") or single is None:
            *parents, own = names or [""]
            return Location(kind, _join_ids(path, parents), path.get(own), own or None)
        return Location(kind, _join_ids(path, names), SINGLETON)

    def parents(self, operation: Operation, path: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
        """Yield the kind, id and parent of every object that must exist for the operation."""
        single = self._singles.get(operation.on or operation.entity, "")
        for end in re.finditer(r"\}", operation.template):
            template = operation.template[: end.end()]
            kind = self._makeable.get(_without_names(template))
            if kind is not None and _without_names(template) != _without_names(single):
                *parents, own = PARAMETER.findall(template)
                yield kind, path[own], _join_ids(path, parents)

    def _within(self, single: str | None, template: str) -> str:
        """Return the part of an operation's template that leads to one object."""
        if single is None:
            return template
        return "/".join(template.split("/")[: single.count("/") + 1])


def _without_names(template: str) -> str:
    return PARAMETER.sub("{}", template)


def _join_ids(path: Mapping[str, str], names: Iterable[str]) -> str:
    return "/".join(path[name] for name in names)
