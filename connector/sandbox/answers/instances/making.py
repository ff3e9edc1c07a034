"""One try at a value for a schema, place by place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connector.model import JSON, is_document
from connector.sandbox.answers.dice import Dice
from connector.sandbox.answers.instances.flattening import Facts, flattened
from connector.sandbox.answers.instances.numbers import number
from connector.sandbox.answers.instances.patterns import Unreadable, sample
from connector.sandbox.answers.instances.strings import string
from connector.sandbox.answers.instances.words import Words
from connector.shapes import items, members

__all__ = ["Maker", "TooMuch"]

DEEP = 4
"""From here on only what must be there is there, so that a schema that refers to itself ends."""
TOO_DEEP = 60
MOST_PLACES = 20_000
AGAIN, MOST_TRIES = "~", 40
"""What ends a place that is filled once more, since what stood there stands elsewhere too; and how often that is."""
TYPES = (
    ("object", ("properties", "required", "additionalProperties", "patternProperties", "minProperties")),
    ("array", ("items", "prefixItems", "minItems", "contains")),
    ("number", ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")),
)
"""What a schema without a type is taken for, by the keywords it has."""


class TooMuch(Exception):
    """A document that grows without end."""


class Maker:
    """Makes one value; sparse ones leave out what they may."""

    def __init__(self, root: JSON, dice: Dice, words: Words, *, sparse: bool = False) -> None:
        self._root = root
        self._dice = dice
        self._words = words
        self._sparse = sparse
        self._places = 0

    def value(self, schema: JSON, place: str = "", depth: int = 0) -> JSON:
        """A value for one place."""
        self._places += 1
        if depth > TOO_DEEP or self._places > MOST_PLACES:
            raise TooMuch
        facts = flattened(schema, self._root, lambda branches: self._branch(branches, place, depth))
        if "const" in facts:
            return facts["const"]
        if facts.get("enum"):
            return self._choice(facts["enum"], place)
        return self._typed(facts, place, depth)

    def _typed(self, facts: Facts, place: str, depth: int) -> JSON:
        kind = _kind(facts)
        if kind == "object":
            return self._object(facts, place, depth)
        if kind == "array":
            return self._array(facts, place, depth)
        if kind == "string":
            return string(facts, place, self._dice, self._words)
        if kind in ("integer", "number"):
            return number(facts, place, self._dice, whole=kind == "integer")
        return bool(self._dice.number(place, 2)) if kind == "boolean" else None

    def _branch(self, branches: Sequence[JSON], place: str, depth: int) -> JSON:
        """A branch that is not null while there is room to go deeper, else the one that asks for least."""
        if depth >= DEEP:
            return min(branches, key=_weight)
        wanted = [one for one in branches if not (is_document(one) and one.get("type") == "null")]
        return self._dice.pick(f"{place}|", wanted or branches)

    def _choice(self, options: Sequence[JSON], place: str) -> JSON:
        """An option that was spoken of, else any; any as well where that one is taken already."""
        spoken = (one for one in options if isinstance(one, str) and self._words.mentions(one))
        first = None if place.endswith(AGAIN) else next(spoken, None)
        return self._dice.pick(place, options) if first is None else first

    def _object(self, facts: Facts, place: str, depth: int) -> dict[str, JSON]:
        properties: Mapping[str, JSON] = members(facts.get("properties"))
        required = list(dict.fromkeys(facts.get("required") or []))
        names = required if self._sparse or depth >= DEEP else [*properties, *required]
        names = [name for name in dict.fromkeys(names) if name in required or properties.get(name) is not False]
        most = facts.get("maxProperties", len(names))
        if most < len(names):
            names = [*required, *(name for name in names if name not in required)][:most]
        names += self._more_names(facts, names, place)
        return {name: self.value(_member(facts, name), f"{place}.{name}", depth + 1) for name in names}

    def _more_names(self, facts: Facts, names: Sequence[str], place: str) -> list[str]:
        """Names of the sandbox's own, where an object is a map or needs more members than it names."""
        is_map = not facts.get("properties") and is_document(facts.get("additionalProperties")) and not self._sparse
        lacking = max(int(facts.get("minProperties", 0)), 1 if is_map else 0) - len(names)
        listed = [name for name in members(facts.get("properties")) if name not in names]
        pattern = next(iter(members(facts.get("patternProperties"))), None)
        made = [self._name(facts, pattern, f"{place}#{turn}", turn) for turn in range(max(0, lacking - len(listed)))]
        return [*listed[: max(0, lacking)], *made]

    def _name(self, facts: Facts, pattern: str | None, place: str, turn: int) -> str:
        named = facts.get("propertyNames")
        if is_document(named):
            return str(self.value({"type": "string"} | named, place))
        if pattern is None:
            return f"{self._words.phrase(place, self._dice, 1)}{turn or ''}"
        try:
            return sample(pattern, place, self._dice, turn)
        except (Unreadable, ValueError, RecursionError):
            return f"name{turn}"

    def _array(self, facts: Facts, place: str, depth: int) -> list[JSON]:
        first: Sequence[JSON] = facts.get("prefixItems") or []
        rest = facts.get("items", True)
        low = max(int(facts.get("minItems", 0)), int(facts.get("minContains", 1)) if "contains" in facts else 0)
        wanted = len(first) or (0 if self._sparse or depth >= DEEP else 1 + self._dice.number(f"{place}#", 2))
        size = min(max(low, wanted), int(facts.get("maxItems", MOST_PLACES)))
        if rest is False:
            size = min(size, len(first))
        schemas = [first[index] if index < len(first) else rest for index in range(size)]
        if "contains" in facts:
            schemas[: low or 1] = [{"allOf": [schema, facts["contains"]]} for schema in schemas[: low or 1]]
        items = [self.value(schema, f"{place}[{index}]", depth + 1) for index, schema in enumerate(schemas)]
        return self._unlike(items, schemas, place, depth) if facts.get("uniqueItems") else items

    def _unlike(self, items: list[JSON], schemas: Sequence[JSON], place: str, depth: int) -> list[JSON]:
        """The items with each that stands twice made anew, or left out when nothing new is found."""
        found: list[JSON] = []
        for index, item in enumerate(items):
            places = (f"{place}[{index}]{turn}{AGAIN}" for turn in range(MOST_TRIES))
            tries = (self.value(schemas[index], again, depth + 1) for again in places)
            other = next((one for one in (item, *tries) if one not in found), None) if item in found else item
            if other is not None or item is None:
                found.append(other)
        return found


def _kind(facts: Facts) -> str:
    """The type a value shall have: the first that is not null, else what the keywords tell."""
    declared = facts.get("type")
    if isinstance(declared, str):
        return declared
    named = [str(one) for one in items(declared) if one != "null"]
    if declared:
        return "integer" if "integer" in named and "number" in named else named[0] if named else "null"
    return next((kind for kind, keywords in TYPES if any(keyword in facts for keyword in keywords)), "string")


def _member(facts: Facts, name: str) -> JSON:
    properties: Mapping[str, JSON] = members(facts.get("properties"))
    if name in properties:
        return properties[name]
    patterns: Mapping[str, JSON] = members(facts.get("patternProperties"))
    rest = facts.get("additionalProperties", True)
    return next(iter(patterns.values()), rest) if patterns else rest


def _weight(branch: JSON) -> int:
    """How much a branch is likely to ask for."""
    if not is_document(branch):
        return 1
    if branch.get("type") == "null" or "const" in branch or "enum" in branch:
        return 0
    return 3 if "$ref" in branch or branch.get("type") in ("object", "array") else 2
