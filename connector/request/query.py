"""Bracketed query strings: from values to the pairs that go on the wire."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from connector.model import Fault, items, members
from connector.request.coerce import coerce
from connector.request.novelty import Novelty, unknown_parameter
from connector.request.shown import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from connector.catalogue.operation import Operation
    from connector.model import JSON

__all__ = ["Query", "coerced", "flatten", "plain", "scalar"]

NESTED = re.compile(r"([^\[\]]+)((?:\[[^\[\]]+\])+)")


def scalar(value: JSON) -> str:
    """A single value as the text it has on the wire."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


def flatten(name: str, value: JSON) -> Iterator[tuple[str, str]]:
    """`name[]` for arrays, `name[key]` for objects, both as deep as the value goes; nulls are dropped."""
    if isinstance(value, dict):
        for key, child in members(value).items():
            yield from flatten(f"{name}[{key}]", child)
    elif isinstance(value, list | tuple):
        for child in items(value):
            yield from flatten(f"{name}[]", child)
    elif value is not None:
        yield name, scalar(value)


def plain(name: str) -> str:
    """The name of a query parameter without its brackets: `ids[]` and `ids` are one."""
    return name.removesuffix("[]")


class Query:
    """The query an operation takes: names with and without brackets, fixed values, required ones."""

    def __init__(self, operation: Operation) -> None:
        self.names = dict.fromkeys(plain(name) for name in operation.query)
        self.fixed = dict(operation.fixed_query)
        self.fixed_pairs = tuple(self.fixed.items())
        self.required = tuple(plain(name) for name in operation.required_query)

    def normalise(self, given: Mapping[str, JSON]) -> tuple[dict[str, JSON], list[Fault]]:
        """The values under their declared names, and faults for names that are given twice or are fixed."""
        found: dict[str, JSON] = {}
        faults: list[Fault] = []
        for spelling, value in given.items():
            name, whole = self._unfolded(spelling, value, found)
            if name in self.fixed:
                faults += self._fixed(spelling, name, value)
            elif name in found and plain(spelling) == name:
                faults.append(
                    Fault(f"query.{spelling}", "given twice", f"give {name!r} once, with or without brackets")
                )
            else:
                found[name] = whole
        return found, faults

    def missing(self, values: Mapping[str, JSON]) -> list[Fault]:
        """A fault for each name that the operation needs and did not get."""
        names = [name for name in self.required if values.get(name) is None]
        return [Fault(f"query.{name}", "missing", "this operation needs it") for name in names]

    def unknown(self, values: Mapping[str, JSON]) -> list[Novelty]:
        """A fault for each name that the operation does not declare."""
        return [unknown_parameter(name, self.names) for name in values if name not in self.names]

    def pairs(self, values: Mapping[str, JSON]) -> tuple[tuple[str, str], ...]:
        """The pairs in sending order, the fixed ones first."""
        return (*self.fixed_pairs, *(pair for name, value in values.items() for pair in flatten(name, value)))

    def _fixed(self, spelling: str, name: str, value: JSON) -> list[Fault]:
        if scalar(value) == self.fixed[name]:
            return []
        return [Fault(f"query.{spelling}", f"found {shown(value)}", f"it is always {self.fixed[name]!r} here")]

    def _unfolded(self, spelling: str, value: JSON, found: Mapping[str, JSON]) -> tuple[str, JSON]:
        """The name and whole value meant: `created_at[gt]` is the member gt of created_at."""
        name = plain(spelling)
        nested = NESTED.fullmatch(spelling)
        if name in self.names or nested is None or nested[1] not in self.names:
            return name, value
        place = whole = dict(members(found.get(nested[1])))
        *parents, last = nested[2][1:-1].split("][")
        for parent in parents:
            inner = dict(members(place.get(parent)))
            place[parent] = inner
            place = inner
        place[last] = value
        return nested[1], whole


def coerced(values: Mapping[str, JSON], schema: JSON) -> dict[str, JSON]:
    """Texts of a command line as the query's schema wants them."""
    return members(coerce(dict(values), schema, schema))
