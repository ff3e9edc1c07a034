"""Requests with a single fault, and the share of them that is refused by default: `python -m tests.request.mutants`.

A payload is made of an operation's schema together with what was declared at each of its places, so that a fault can be
put there: a field that is required left out, a value of another type, a misspelt name, a choice that is none, a number
or a length out of its bounds, the tag of another branch. What the strictest check takes is no fault.
"""

from __future__ import annotations

import copy
import random
import string
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from connector.catalogue import Catalogue, Operation
from connector.catalogue.examples import example_number, example_string
from connector.model import InvalidRequest
from connector.request import Preparer
from connector.request.schema_fields import resolve_reference

Place = tuple[str | int, ...]
DEEPEST = 5
OTHERS = {
    "string": {"an": "object"},
    "object": "text",
    "array": 7,
    "integer": "many",
    "number": "much",
    "boolean": "yes",
}
LIMITS = (("minimum", -1), ("maximum", 1), ("minLength", -1), ("maxLength", 1), ("minItems", -1), ("maxItems", 1))


@dataclass
class Sample:
    """A payload, and the flat schema that each of its places was made of."""

    value: Any
    places: dict[Place, Mapping[str, Any]] = field(default_factory=dict[Place, Mapping[str, Any]])


@dataclass(frozen=True)
class Mutant:
    """A payload with one fault."""

    kind: str
    payload: Any
    where: Place
    said: str


class Sampler:
    """Payloads of one schema: each takes other branches of its unions."""

    def __init__(self, schema: Mapping[str, Any], chance: random.Random, entity: str) -> None:
        self._root = schema
        self._chance = chance
        self._entity = entity

    def sample(self, *, full: bool) -> Sample:
        """A payload with what is required, or with most of what there is."""
        made = Sample(None)
        made.value = self._value(self._root, (), made, "payload", full=full)
        return made

    def _flat(self, schema: Any, depth: int = 0) -> dict[str, Any]:
        """One way to meet a schema: references followed, parts joined, a branch of each union taken by chance."""
        found = dict(resolve_reference(schema, self._root)) if isinstance(schema, Mapping) else {}
        flat = {key: part for key, part in found.items() if key not in ("allOf", "anyOf", "oneOf", "$ref", "$defs")}
        parts = list(found.get("allOf", ()))
        for union in ("anyOf", "oneOf"):
            branches = [one for one in found.get(union, ()) if resolve_reference(one, self._root).get("type") != "null"]
            parts += [self._chance.choice(branches)] if branches else []
        for part in parts if depth < 12 else ():
            other = self._flat(part, depth + 1)
            merged = {**flat.get("properties", {}), **other.get("properties", {})}
            required = [*flat.get("required", ()), *other.get("required", ())]
            flat = {**flat, **other} | ({"properties": merged} if merged else {})
            flat |= {"required": required} if required else {}
        return flat

    def _value(self, schema: Any, place: Place, made: Sample, name: str, *, full: bool) -> Any:
        flat = self._flat(schema)
        made.places[place] = flat
        choices = [flat["const"]] if "const" in flat else [one for one in flat.get("enum", ()) if one is not None]
        if choices:
            return self._chance.choice(choices)
        kinds = flat.get("type") or ("object" if "properties" in flat else "string")
        kind = next(one for one in ([kinds] if isinstance(kinds, str) else kinds) if one != "null" or kinds == "null")
        if flat.get("format") == "binary":
            return {"$content": "aGVsbG8=", "filename": "hello.jsonl"}
        if kind == "object":
            return self._object(flat, place, made, full=full)
        if kind == "array":
            count = max(1, flat.get("minItems", 1))
            return [self._value(flat.get("items", {}), (*place, at), made, name, full=full) for at in range(count)]
        if kind == "string":
            return example_string(name, self._entity, flat)
        return (
            example_number(name, kind, flat) if kind in ("integer", "number") else {"boolean": True, "null": None}[kind]
        )

    def _object(self, flat: Mapping[str, Any], place: Place, made: Sample, *, full: bool) -> dict[str, Any]:
        required = flat.get("required", ())
        likely = 1 if len(place) == 0 else 0.6
        names = [
            name
            for name in flat.get("properties", {})
            if name in required or (full and len(place) < DEEPEST and self._chance.random() < likely)
        ]
        properties = flat.get("properties", {})
        return {name: self._value(properties[name], (*place, name), made, name, full=full) for name in names}


def mutants(sample: Sample, chance: random.Random) -> Iterator[Mutant]:
    """Every kind of fault at every place of a payload."""
    for place, flat in sample.places.items():
        if any(isinstance(step, str) and step.startswith("$") for step in place):
            continue
        for kind, change in _changes(sample.value, place, flat, chance):
            payload = copy.deepcopy(sample.value)
            said = change(payload)
            if said is not None:
                yield Mutant(kind, payload, place, said)


Change = Callable[[Any], str | None]


def _changes(whole: Any, place: Place, flat: Mapping[str, Any], chance: random.Random) -> Iterator[tuple[str, Change]]:
    value = _at(whole, place)
    if isinstance(value, dict) and "properties" in flat:
        yield from _of_names(value, place, flat, chance)
    if isinstance(value, str) and ("enum" in flat or "const" in flat):
        kind = "wrong tag" if place[-1] in ("type", "role") else "wrong choice"
        yield kind, _replaced(place, _slip(value, chance))
        yield f"{kind}, in capitals", _replaced(place, value.upper() if value != value.upper() else value.lower())
    kinds = flat.get("type", ())
    for kind in [kinds] if isinstance(kinds, str) else kinds:
        if kind in OTHERS and value is not None:
            yield "wrong type", _replaced(place, OTHERS[kind])
    for limit, step in LIMITS:
        if limit in flat:
            yield "out of bounds", _replaced(place, _beyond(value, flat[limit], step))


def _of_names(
    value: dict[str, Any], place: Place, flat: Mapping[str, Any], chance: random.Random
) -> Iterator[tuple[str, Change]]:
    for name in value:
        if name in flat.get("required", ()):
            yield "required left out", _dropped(place, name)
        for fault, misspell in SLIPS.items():
            yield fault, _renamed(place, name, misspell(name, chance))
    for name in list(flat["properties"])[:40:4]:
        yield "misspelling beside", _added(place, _slip(name, chance))


def _at(value: Any, place: Place) -> Any:
    for step in place:
        value = value[step]
    return value


def _dropped(place: Place, name: str) -> Change:
    def change(payload: Any) -> str:
        del _at(payload, place)[name]
        return f"without {name}"

    return change


def _renamed(place: Place, name: str, other: str | None) -> Change:
    def change(payload: Any) -> str | None:
        target = _at(payload, place)
        if other is None or other in target or other == name:
            return None
        target[other] = target.pop(name)
        return f"{name} as {other}"

    return change


def _added(place: Place, name: str) -> Change:
    def change(payload: Any) -> str | None:
        target = _at(payload, place)
        return None if target.setdefault(name, "x") != "x" else f"{name} beside"

    return change


def _replaced(place: Place, other: Any) -> Change:
    def change(payload: Any) -> str | None:
        if not place or other is None:
            return None
        target = _at(payload, place[:-1])
        before, target[place[-1]] = target[place[-1]], other
        return None if before == other else f"{before!r:.40} became {other!r:.40}"

    return change


def _beyond(value: Any, limit: float, step: int) -> Any:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return limit + step
    size = int(limit) + step
    if size < 0 or size > 5000 or not isinstance(value, str | list) or not value:
        return None
    return "x" * size if isinstance(value, str) else [value[0]] * size


def _slip(name: str, chance: random.Random) -> str:
    return next(made for made in (chance.choice(EDITS)(name, chance) for _ in range(99)) if made and made != name)


def _left_out(name: str, chance: random.Random) -> str | None:
    at = chance.randrange(len(name))
    return name[:at] + name[at + 1 :] if len(name) > 2 else None


def _doubled(name: str, chance: random.Random) -> str:
    at = chance.randrange(len(name))
    return name[:at] + name[at] + name[at:]


def _mistyped(name: str, chance: random.Random) -> str:
    at = chance.randrange(len(name))
    return name[:at] + chance.choice(string.ascii_lowercase) + name[at + 1 :]


def _inserted(name: str, chance: random.Random) -> str:
    at = chance.randrange(len(name) + 1)
    return name[:at] + chance.choice(string.ascii_lowercase) + name[at:]


def _swapped(name: str, chance: random.Random) -> str | None:
    at = chance.randrange(max(1, len(name) - 1))
    return name[:at] + name[at : at + 2][::-1] + name[at + 2 :] if len(name) > 2 else None


def _camel(name: str, _: random.Random) -> str | None:
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest) if rest else name.title()


def _dashed(name: str, _: random.Random) -> str | None:
    return name.replace("_", "-") if "_" in name else None


EDITS = (_left_out, _doubled, _mistyped, _inserted, _swapped)
SLIPS: Mapping[str, Callable[[str, random.Random], str | None]] = {
    "letter left out": _left_out, "letter doubled": _doubled, "letter wrong": _mistyped, "letter added": _inserted,
    "letters swapped": _swapped, "camelCase": _camel, "kebab-case": _dashed,
}  # fmt: skip


class Measure:
    """Counts of mutants refused, by kind, and those that were not."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._preparer = Preparer(catalogue)
        self.made: Counter[str] = Counter()
        self.caught: Counter[str] = Counter()
        self.missed: list[tuple[str, Mutant]] = []
        self.samples = 0

    @property
    def share(self) -> float:
        """The part of all mutants that is refused by default."""
        return sum(self.caught.values()) / max(1, sum(self.made.values()))

    def measure(self, operation: Operation, chance: random.Random, *, samples: int, most: int | None = None) -> None:
        """Counts the mutants of some payloads of an operation, at most so many of each payload."""
        schema = self._catalogue.payload_schema(operation)
        if schema is None or operation.removed:
            return
        sampler = Sampler(schema, chance, operation.entity)
        for turn in range(samples):
            sample = sampler.sample(full=turn % 2 == 1)
            if not isinstance(sample.value, dict) or not self._passes(operation, sample.value, "strict"):
                continue
            self.samples += 1
            found = list(mutants(sample, chance))
            for mutant in found if most is None else chance.sample(found, min(most, len(found))):
                self._count(operation, mutant)

    def _count(self, operation: Operation, mutant: Mutant) -> None:
        if self._passes(operation, mutant.payload, "strict"):
            return
        self.made[mutant.kind] += 1
        if self._passes(operation, mutant.payload, "spelling"):
            self.missed.append((operation.name, mutant))
        else:
            self.caught[mutant.kind] += 1

    def _passes(self, operation: Operation, payload: Any, validate: str) -> bool:
        path = dict.fromkeys(operation.parameters, "x")
        try:
            self._preparer.prepare(operation, {"path": path, "payload": payload}, validate=validate)
        except InvalidRequest as error:
            return not any(fault.where.startswith("payload") for fault in error.faults)
        return True


def main(seed: int = 0, samples: int = 6) -> None:
    """Print the share of mutants refused, by kind."""
    catalogue = Catalogue.open()
    measure, chance = Measure(catalogue), random.Random(seed)
    for operation in catalogue.operations():
        measure.measure(operation, chance, samples=samples)
    lines = [f"{kind:28} {made:7} {measure.caught[kind] / made:8.2%}" for kind, made in sorted(measure.made.items())]
    for name, mutant in chance.sample(measure.missed, min(30, len(measure.missed))):
        lines.append(f"missed: {name}: {'.'.join(map(str, mutant.where))}: {mutant.kind}: {mutant.said}")
    total = sum(measure.made.values())
    lines.append(f"{measure.samples} payloads, {total} mutants, {measure.share:.2%} refused by default")
    sys.stdout.write("\n".join([*lines, ""]))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
