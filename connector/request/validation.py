"""Verdicts on requests: one compiled validator for each part of an operation, kept as long as the checker lives.

A schema has a strict twin, which also refuses the fields that no declaration knows. What the twin accepts is valid and
holds nothing unknown, so that one fast verdict settles the usual request; only what it refuses is looked at again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from itertools import islice
from typing import Any, cast

from jsonschema_rs import Draft202012Validator

from connector.model import JSON, Fault
from connector.request.faults import explain_refusals, find_unknown_fields, report_unexplained
from connector.request.novelty import Novelty
from connector.request.unions import UnionBreadth

__all__ = ["CompiledSchema", "Findings", "Validate", "close_schema", "suggest_setting"]

IN_PLACE = ("allOf", "anyOf", "oneOf")
OPENERS = ("additionalProperties", "unevaluatedProperties")
MEMBERS = ("properties", "patternProperties")
BELOW = ("items", "additionalProperties", "contains")
STRUCTURE = frozenset((*IN_PLACE, *MEMBERS, *BELOW, "$ref"))
LOOSE = "~loose"
"""Marks the variant of a definition that is part of a composition: closed below, left open itself."""

Schema = dict[str, JSON]


class Validate(StrEnum):
    """How much of a request is checked before it is sent."""

    STRICT = "strict"
    SPELLING = "spelling"
    KNOWN = "known"
    WARN = "warn"
    OFF = "off"


@dataclass(slots=True)
class Findings:
    """What is wrong with a request, and what is only odd about it."""

    faults: list[Fault] = field(default_factory=list[Fault])
    warnings: list[Fault] = field(default_factory=list[Fault])

    def judge(self, mode: Validate, found: Sequence[Fault], where: str) -> None:
        """Take what a declaration has against a part of the request, as faults or, where the mode allows, warnings."""
        if mode is Validate.OFF:
            return
        # A place that has its fault already needs no second opinion.
        places = {fault.where for fault in self.faults}
        fresh = [fault for fault in found if fault.where not in places]
        novel = [fault for fault in fresh if isinstance(fault, Novelty) and _is_let_through(fault, mode)]
        wrong = [fault for fault in fresh if fault not in novel]
        (self.warnings if mode is Validate.WARN else self.faults).extend(wrong)
        if novel:
            self.warnings.append(_join_warnings(novel, where))


def _is_let_through(novelty: Novelty, mode: Validate) -> bool:
    """Return whether a mode lets pass what may be newer than the catalogue."""
    if mode is Validate.STRICT:
        return False
    if mode is Validate.SPELLING:
        return not novelty.is_misspelt
    return novelty.is_field or not novelty.is_misspelt


def suggest_setting(fault: Fault) -> Fault:
    """Return a refused fault with the setting that sends it all the same, when it may be newer than the catalogue."""
    if not isinstance(fault, Novelty):
        return fault
    setting = Validate.SPELLING
    if fault.is_misspelt:
        setting = Validate.KNOWN if fault.is_field else Validate.WARN
    otherwise = f"--validate {setting} (in a configuration, validate: {setting}) sends it as it is"
    return replace(fault, suggestion=f"{fault.suggestion} If not, {otherwise}" if fault.suggestion else otherwise)


class CompiledSchema:
    """The schema of one part of an operation, compiled when it is first used."""

    def __init__(self, read: Callable[[], dict[str, JSON] | None]) -> None:
        self._read = read

    @cached_property
    def source(self) -> dict[str, JSON]:
        return self._read() or {}

    @cached_property
    def twin(self) -> dict[str, JSON]:
        return close_schema(self.source)

    @cached_property
    def _strict(self) -> Draft202012Validator:
        return _compile(self.twin)

    @cached_property
    def _lenient(self) -> Draft202012Validator:
        return _compile(self.source)

    @cached_property
    def _breadth(self) -> UnionBreadth:
        return UnionBreadth(self.twin)

    def find(self, value: JSON, where: str, mode: Validate, findings: Findings) -> None:
        """Add what is wrong with a value; nothing unknown and nothing wrong is one verdict."""
        if mode is Validate.OFF or self._strict.is_valid(value):
            return
        most = self._breadth.refusals(value)
        if not most:
            findings.judge(mode, [] if self._lenient.is_valid(value) else [report_unexplained(value, where)], where)
            return
        wrong = explain_refusals(_list_refusals(self._lenient, value, most), value, self.source, where)
        places = {fault.where for fault in wrong}
        unknown = find_unknown_fields(_list_refusals(self._strict, value, most), value, self.twin, where)
        findings.judge(mode, [*wrong, *(fault for fault in unknown if fault.where not in places)], where)


def _join_warnings(novel: list[Novelty], where: str) -> Fault:
    """Return one warning that names everything unknown."""
    names = [f"{one.where}{f' ({one.suggestion})' if one.is_misspelt else ''}" for one in novel if one.is_field]
    values = [f"{one.where} {one.found}" for one in novel if not one.is_field]
    kinds = [_count(noun, found) for noun, found in (("field", names), ("value", values)) if found]
    said = f"{' and '.join(kinds)}: {', '.join([*names, *values])}"
    return Fault(where, said, "sent as they are; --validate strict refuses them")


def _count(noun: str, names: list[str]) -> str:
    return f"an unknown {noun}" if len(names) == 1 else f"{len(names)} unknown {noun}s"


def _list_refusals(validator: Draft202012Validator, value: JSON, most: int) -> list[Any]:
    return list(islice(validator.iter_errors(value), most))


def _compile(schema: dict[str, JSON]) -> Draft202012Validator:
    return Draft202012Validator(schema)


def close_schema(schema: Schema) -> Schema:
    """Return the strict twin of a self-contained schema."""
    return _Twin(cast("dict[str, Schema]", schema.get("$defs", {}))).of(schema)


class _Twin:
    def __init__(self, definitions: dict[str, Schema]) -> None:
        self.definitions = definitions
        self.made: dict[str, JSON] = {}
        self.free: dict[str, tuple[bool, bool]] = {}

    def of(self, schema: Schema) -> Schema:
        root = {name: value for name, value in schema.items() if name != "$defs"}
        twin = self.close(root)
        return {**twin, "$defs": self.made}

    def close(self, schema: JSON, *, loose: bool = False) -> JSON:
        if not isinstance(schema, dict):
            return schema
        schema = cast("Schema", schema)
        if STRUCTURE.isdisjoint(schema):
            return schema
        if "$ref" in schema and len(schema) == 1:
            return self._reference(schema["$ref"], loose=loose)
        twin = self._close_below(schema)
        composed = "$ref" in schema or "allOf" in schema or ("properties" in schema and self._has_alternatives(schema))
        for keyword in IN_PLACE:
            if keyword in schema:
                twin[keyword] = [self.close(branch, loose=loose or composed) for branch in schema[keyword]]
        if "$ref" in schema:
            twin |= self._reference(schema["$ref"], loose=True)
        if not loose and not any(opener in schema for opener in OPENERS):
            self._forbid_others(twin, schema, composed=composed)
        return twin

    def _close_below(self, schema: Schema) -> Schema:
        twin = dict(schema)
        for keyword in MEMBERS:
            if keyword in schema:
                twin[keyword] = {name: self.close(part) for name, part in schema[keyword].items()}
        for keyword in BELOW:
            if isinstance(schema.get(keyword), dict):
                twin[keyword] = self.close(schema[keyword])
        return twin

    def _forbid_others(self, twin: Schema, schema: Schema, *, composed: bool) -> None:
        if not composed:
            # An object of which no field is declared is the caller's own.
            if schema.get("properties"):
                twin["additionalProperties"] = False
            return
        declares, anything = self._find_openness(schema)
        if declares and not anything:
            twin["unevaluatedProperties"] = False

    def _has_alternatives(self, schema: Schema) -> bool:
        return "anyOf" in schema or "oneOf" in schema

    def _reference(self, reference: str, *, loose: bool) -> Schema:
        name = reference.removeprefix("#/$defs/")
        made = name + LOOSE if loose else name
        if made not in self.made and name in self.definitions:
            self.made[made] = {}  # a definition may name itself
            self.made[made] = self.close(self.definitions[name], loose=loose)
        return {"$ref": f"#/$defs/{made}"}

    def _find_openness(self, schema: JSON) -> tuple[bool, bool]:
        """Return whether the schema declares properties in its place, and whether a part of it takes any object."""
        if not isinstance(schema, dict):
            return False, bool(schema)
        schema = cast("Schema", schema)
        parts = [branch for keyword in IN_PLACE for branch in schema.get(keyword, ())]
        found = [self._find_openness(part) for part in parts]
        if "$ref" in schema:
            found.append(self._find_named(schema["$ref"]))
        if schema.get("properties"):
            found.append((True, any(opener in schema for opener in OPENERS)))
        elif not found:
            found.append((False, self._is_free(schema)))
        return any(declares for declares, _ in found), any(anything for _, anything in found)

    def _find_named(self, reference: str) -> tuple[bool, bool]:
        name = reference.removeprefix("#/$defs/")
        if name not in self.free:
            self.free[name] = (False, False)  # a definition may name itself
            self.free[name] = self._find_openness(self.definitions.get(name, {}))
        return self.free[name]

    def _is_free(self, schema: Schema) -> bool:
        kind = schema.get("type")
        if kind is None:
            return not ({"enum", "const", "required", "not"} & schema.keys())
        return kind == "object" or (isinstance(kind, list) and "object" in kind)
