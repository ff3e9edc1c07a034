"""Bracketed query strings: from values to the pairs that go on the wire."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from connector.catalogue.operation import Operation
from connector.documents import parse
from connector.errors import InvalidDocument
from connector.model import JSON, Fault, items, members
from connector.request.display import show_value
from connector.request.novelty import Novelty, report_unknown_parameter
from connector.request.schema_fields import resolve_reference

__all__ = ["Query", "coerce", "coerce_query", "encode_scalar", "flatten", "strip_brackets"]

NESTED = re.compile(r"([^\[\]]+)((?:\[[^\[\]]+\])+)")
INTEGER = re.compile(r"[+-]?\d{1,19}")
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")


def encode_scalar(value: JSON) -> str:
    """Return a single value as the text it has on the wire."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


def flatten(name: str, value: JSON) -> Iterator[tuple[str, str]]:
    """Yield pairs: `name[]` for arrays, `name[key]` for objects, as deep as the value goes; nulls are dropped."""
    if isinstance(value, dict):
        for key, child in members(value).items():
            yield from flatten(f"{name}[{key}]", child)
    elif isinstance(value, list | tuple):
        for child in items(value):
            yield from flatten(f"{name}[]", child)
    elif value is not None:
        yield name, encode_scalar(value)


def strip_brackets(name: str) -> str:
    """Return the name of a query parameter without its brackets: `ids[]` and `ids` are one."""
    return name.removesuffix("[]")


class Query:
    """The query an operation takes: names with and without brackets, fixed values, required ones."""

    def __init__(self, operation: Operation) -> None:
        self.names = dict.fromkeys(strip_brackets(name) for name in operation.query)
        self.fixed = dict(operation.fixed_query)
        self.fixed_pairs = tuple(self.fixed.items())
        self.required = tuple(strip_brackets(name) for name in operation.required_query)

    def normalise(self, given: Mapping[str, JSON]) -> tuple[dict[str, JSON], list[Fault]]:
        """Return the values under their declared names, and faults for names that are given twice or are fixed."""
        found: dict[str, JSON] = {}
        faults: list[Fault] = []
        for spelling, value in given.items():
            name, whole = self._unfold(spelling, value, found)
            if name in self.fixed:
                faults += self._check_fixed(spelling, name, value)
            elif name in found and strip_brackets(spelling) == name:
                faults.append(
                    Fault(f"query.{spelling}", "given twice", f"give {name!r} once, with or without brackets")
                )
            else:
                found[name] = whole
        return found, faults

    def missing(self, values: Mapping[str, JSON]) -> list[Fault]:
        """Return a fault for each name that the operation needs and did not get."""
        names = [name for name in self.required if values.get(name) is None]
        return [Fault(f"query.{name}", "missing", "this operation needs it") for name in names]

    def unknown(self, values: Mapping[str, JSON]) -> list[Novelty]:
        """Return a fault for each name that the operation does not declare."""
        return [report_unknown_parameter(name, self.names) for name in values if name not in self.names]

    def pairs(self, values: Mapping[str, JSON]) -> tuple[tuple[str, str], ...]:
        """Return the pairs in sending order, the fixed ones first."""
        return (*self.fixed_pairs, *(pair for name, value in values.items() for pair in flatten(name, value)))

    def _check_fixed(self, spelling: str, name: str, value: JSON) -> list[Fault]:
        if encode_scalar(value) == self.fixed[name]:
            return []
        return [Fault(f"query.{spelling}", f"found {show_value(value)}", f"it is always {self.fixed[name]!r} here")]

    def _unfold(self, spelling: str, value: JSON, found: Mapping[str, JSON]) -> tuple[str, JSON]:
        """Return the name and whole value meant: `created_at[gt]` is the member gt of created_at."""
        name = strip_brackets(spelling)
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


def coerce_query(values: Mapping[str, JSON], schema: JSON) -> dict[str, JSON]:
    """Return texts of a command line as the query's schema wants them."""
    return members(coerce(dict(values), schema, schema))


def coerce(value: JSON, schema: JSON, root: JSON) -> JSON:
    """Return what a text means where the schema wants something else; what it cannot mean stays as it is."""
    branches = list(_iter_branches(schema, root))
    if isinstance(value, list):
        part = _find_first(branches, "items")
        return [coerce(item, part, root) for item in items(value)]
    if isinstance(value, dict):
        return {name: coerce(child, _find_member(branches, name), root) for name, child in members(value).items()}
    kinds = {kind for branch in branches for kind in _list_kinds(branch)}
    if not isinstance(value, str) or "string" in kinds:
        return value
    if value[:1] in ("[", "{") and kinds & {"array", "object"}:
        return _parse(value)
    if "array" in kinds:
        return [coerce(value, _find_first(branches, "items"), root)]
    return _read_scalar(value, kinds)


def _parse(text: str) -> JSON:
    try:
        return parse(text)
    except InvalidDocument:
        return text


def _read_scalar(text: str, kinds: set[str]) -> JSON:
    if "boolean" in kinds and text in ("true", "false"):
        return text == "true"
    if kinds & {"integer", "number"} and INTEGER.fullmatch(text):
        return int(text)
    if "number" in kinds and NUMBER.fullmatch(text):
        return float(text)
    return None if text == "null" and "null" in kinds else text


def _iter_branches(schema: JSON, root: JSON, depth: int = 0) -> Iterator[dict[str, JSON]]:
    """Yield the schema and every alternative it holds, references followed."""
    found = members(resolve_reference(schema, root))
    yield found
    for keyword in ("anyOf", "oneOf", "allOf"):
        for branch in items(found.get(keyword)) if depth < 8 else ():
            yield from _iter_branches(branch, root, depth + 1)


def _list_kinds(schema: dict[str, JSON]) -> list[str]:
    declared = schema.get("type")
    if declared is None and "enum" in schema:
        return ["string" if isinstance(value, str) else "integer" for value in items(schema["enum"])]
    return [declared] if isinstance(declared, str) else items(declared)


def _find_first(branches: list[dict[str, JSON]], keyword: str) -> JSON:
    return next((branch[keyword] for branch in branches if keyword in branch), None)


def _find_member(branches: list[dict[str, JSON]], name: str) -> JSON:
    declared = members(_find_first(branches, "properties"))
    return declared.get(name, _find_first(branches, "additionalProperties"))
