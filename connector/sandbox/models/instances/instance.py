"""Instances of a JSON Schema, built place by place and validated; one that is not found is never passed off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import jsonschema_rs

from connector.model import JSON, is_document, items, members
from connector.sandbox.models.instances.constraints import Constraints, collect_constraints
from connector.sandbox.models.instances.patterns import UnsupportedPattern, sample_pattern
from connector.sandbox.models.instances.values import Words, generate_number, generate_string
from connector.sandbox.models.seeded_random import SeededRandom

__all__ = ["NoInstanceFound", "generate_instance"]

SPARSE_DEPTH = 4
"""The depth below which only required members are built, so that a recursive schema ends."""
MOST_DEPTH = 60
MOST_PLACES = 20_000
RETRY_MARK, MOST_TRIES = "~", 40
"""The end of the path of a value that is built again, and how often that happens."""
TYPE_KEYWORDS = (
    ("object", ("properties", "required", "additionalProperties", "patternProperties", "minProperties")),
    ("array", ("items", "prefixItems", "minItems", "contains")),
    ("number", ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")),
)
"""The types that keywords imply where a schema has none."""
TRIES = 24


class TooLarge(Exception):
    """A document that grows without end."""


class InstanceBuilder:
    """Builds one value; a sparse one has required members only."""

    def __init__(self, root: JSON, rng: SeededRandom, words: Words, *, sparse: bool = False) -> None:
        self._root = root
        self._rng = rng
        self._words = words
        self._sparse = sparse
        self._size = 0

    def build(self, schema: JSON, path: str = "", depth: int = 0) -> JSON:
        """Return a value for one place."""
        self._size += 1
        if depth > MOST_DEPTH or self._size > MOST_PLACES:
            raise TooLarge
        constraints = collect_constraints(
            schema, self._root, lambda branches: self._choose_branch(branches, path, depth)
        )
        if "const" in constraints:
            return constraints["const"]
        if constraints.get("enum"):
            return self._choose(constraints["enum"], path)
        return self._build_typed(constraints, path, depth)

    def _build_typed(self, constraints: Constraints, path: str, depth: int) -> JSON:
        kind = _choose_type(constraints)
        if kind == "object":
            return self._build_object(constraints, path, depth)
        if kind == "array":
            return self._build_array(constraints, path, depth)
        if kind == "string":
            return generate_string(constraints, path, self._rng, self._words)
        if kind in ("integer", "number"):
            return generate_number(constraints, path, self._rng, whole=kind == "integer")
        return bool(self._rng.integer(path, 2)) if kind == "boolean" else None

    def _choose_branch(self, branches: Sequence[JSON], path: str, depth: int) -> JSON:
        """Return a branch that is not null, or the one with the fewest demands where it is deep."""
        if depth >= SPARSE_DEPTH:
            return min(branches, key=_weight)
        wanted = [one for one in branches if not (is_document(one) and one.get("type") == "null")]
        return self._rng.choice(f"{path}|", wanted or branches)

    def _choose(self, options: Sequence[JSON], path: str) -> JSON:
        """Return an option that the text mentions, else any; any as well on a retry."""
        spoken = (one for one in options if isinstance(one, str) and self._words.mentions(one))
        first = None if path.endswith(RETRY_MARK) else next(spoken, None)
        return self._rng.choice(path, options) if first is None else first

    def _build_object(self, constraints: Constraints, path: str, depth: int) -> dict[str, JSON]:
        properties: Mapping[str, JSON] = members(constraints.get("properties"))
        required = list(dict.fromkeys(constraints.get("required") or []))
        names = required if self._sparse or depth >= SPARSE_DEPTH else [*properties, *required]
        names = [name for name in dict.fromkeys(names) if name in required or properties.get(name) is not False]
        limit = constraints.get("maxProperties", len(names))
        if limit < len(names):
            names = [*required, *(name for name in names if name not in required)][:limit]
        names += self._make_names(constraints, names, path)
        return {name: self.build(_member_schema(constraints, name), f"{path}.{name}", depth + 1) for name in names}

    def _make_names(self, constraints: Constraints, names: Sequence[str], path: str) -> list[str]:
        """Return made-up names for a map, or for an object that needs more members."""
        is_map = (
            not constraints.get("properties")
            and is_document(constraints.get("additionalProperties"))
            and not self._sparse
        )
        lacking = max(int(constraints.get("minProperties", 0)), 1 if is_map else 0) - len(names)
        listed = [name for name in members(constraints.get("properties")) if name not in names]
        pattern = next(iter(members(constraints.get("patternProperties"))), None)
        value = [
            self._make_name(constraints, pattern, f"{path}#{turn}", turn)
            for turn in range(max(0, lacking - len(listed)))
        ]
        return [*listed[: max(0, lacking)], *value]

    def _make_name(self, constraints: Constraints, pattern: str | None, path: str, turn: int) -> str:
        named = constraints.get("propertyNames")
        if is_document(named):
            return str(self.build({"type": "string"} | named, path))
        if pattern is None:
            return f"{self._words.phrase(path, self._rng, 1)}{turn or ''}"
        try:
            return sample_pattern(pattern, path, self._rng, turn)
        except (UnsupportedPattern, ValueError, RecursionError):
            return f"name{turn}"

    def _build_array(self, constraints: Constraints, path: str, depth: int) -> list[JSON]:
        first: Sequence[JSON] = constraints.get("prefixItems") or []
        rest = constraints.get("items", True)
        low = max(
            int(constraints.get("minItems", 0)),
            int(constraints.get("minContains", 1)) if "contains" in constraints else 0,
        )
        wanted = len(first) or (0 if self._sparse or depth >= SPARSE_DEPTH else 1 + self._rng.integer(f"{path}#", 2))
        size = min(max(low, wanted), int(constraints.get("maxItems", MOST_PLACES)))
        if rest is False:
            size = min(size, len(first))
        schemas = [first[index] if index < len(first) else rest for index in range(size)]
        if "contains" in constraints:
            schemas[: low or 1] = [{"allOf": [schema, constraints["contains"]]} for schema in schemas[: low or 1]]
        items = [self.build(schema, f"{path}[{index}]", depth + 1) for index, schema in enumerate(schemas)]
        return self._make_unique(items, schemas, path, depth) if constraints.get("uniqueItems") else items

    def _make_unique(self, items: list[JSON], schemas: Sequence[JSON], path: str, depth: int) -> list[JSON]:
        """Return the items with each duplicate built again, or left out when no new value is found."""
        found: list[JSON] = []
        for index, item in enumerate(items):
            places = (f"{path}[{index}]{turn}{RETRY_MARK}" for turn in range(MOST_TRIES))
            tries = (self.build(schemas[index], again, depth + 1) for again in places)
            other = next((one for one in (item, *tries) if one not in found), None) if item in found else item
            if other is not None or item is None:
                found.append(other)
        return found


def _choose_type(constraints: Constraints) -> str:
    """Return the type of a value: the first that is not null, else what the keywords imply."""
    declared = constraints.get("type")
    if isinstance(declared, str):
        return declared
    named = [str(one) for one in items(declared) if one != "null"]
    if declared:
        return "integer" if "integer" in named and "number" in named else named[0] if named else "null"
    return next(
        (kind for kind, keywords in TYPE_KEYWORDS if any(keyword in constraints for keyword in keywords)), "string"
    )


def _member_schema(constraints: Constraints, name: str) -> JSON:
    properties: Mapping[str, JSON] = members(constraints.get("properties"))
    if name in properties:
        return properties[name]
    patterns: Mapping[str, JSON] = members(constraints.get("patternProperties"))
    rest = constraints.get("additionalProperties", True)
    return next(iter(patterns.values()), rest) if patterns else rest


def _weight(branch: JSON) -> int:
    """Return how much a branch is likely to demand."""
    if not is_document(branch):
        return 1
    if branch.get("type") == "null" or "const" in branch or "enum" in branch:
        return 0
    return 3 if "$ref" in branch or branch.get("type") in ("object", "array") else 2


class NoInstanceFound(ValueError):
    """A schema for which no value was found."""


def generate_instance(schema: JSON, text: str, seed: str) -> JSON:
    """Return a value that the schema accepts; the same for the same seed and text."""
    try:
        validator = jsonschema_rs.validator_for(schema, validate_formats=True, retriever=_refuse_reference)
    except (ValueError, RecursionError) as error:
        # jsonschema_rs names what is wrong on the first line and the whole schema below it.
        raise NoInstanceFound(f"not a valid JSON Schema: {str(error).splitlines()[0]}") from error
    words = Words(text)
    for turn in range(TRIES):
        # Every other try leaves out what may be left out: that is what recursion and tight bounds need.
        builder = InstanceBuilder(schema, SeededRandom(f"{seed}/{turn}/{text}"), words, sparse=turn % 2 == 1)
        try:
            value = builder.build(schema)
        except TooLarge:
            continue
        if validator.is_valid(value):
            return value
    raise NoInstanceFound(f"no value was found in {TRIES} tries; the sandbox makes simple ones")


def _refuse_reference(address: str) -> JSON:
    raise ValueError(f"{address[:200]} is not looked up; a schema refers to its own parts only")
