"""Verdicts on requests: one compiled validator for each part of an operation, kept as long as the checker lives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from jsonschema_rs import Draft202012Validator

from connector.model import JSON, Fault
from connector.request.closing import closed
from connector.request.faults import explain, unknown_fields

__all__ = ["Findings", "Schema", "Validate"]


class Validate(StrEnum):
    """How much of a request is checked before it is sent."""

    STRICT = "strict"
    KNOWN = "known"
    WARN = "warn"
    OFF = "off"


@dataclass(slots=True)
class Findings:
    """What is wrong with a request, and what is only odd about it."""

    faults: list[Fault] = field(default_factory=list[Fault])
    warnings: list[Fault] = field(default_factory=list[Fault])

    def judge(self, mode: Validate, found: list[Fault]) -> None:
        """Takes what a declaration has against the request: a fault, unless the caller only wants to be warned."""
        if mode is not Validate.OFF:
            # A place that has its fault already needs no second opinion.
            places = {fault.where for fault in self.faults}
            (self.warnings if mode is Validate.WARN else self.faults).extend(f for f in found if f.where not in places)


class Schema:
    """The schema of one part of an operation, compiled when it is first used."""

    def __init__(self, read: Callable[[], dict[str, JSON] | None]) -> None:
        self._read = read

    @cached_property
    def source(self) -> dict[str, JSON]:
        return self._read() or {}

    @cached_property
    def twin(self) -> dict[str, JSON]:
        return closed(self.source)

    @cached_property
    def _strict(self) -> Draft202012Validator:
        return _compiled(self.twin)

    @cached_property
    def _lenient(self) -> Draft202012Validator:
        return _compiled(self.source)

    def find(self, value: JSON, where: str, mode: Validate, findings: Findings) -> None:
        """Adds what is wrong with a value; nothing unknown and nothing wrong is one verdict."""
        if mode is Validate.OFF or self._strict.is_valid(value):
            return
        wrong = explain(_refusals(self._lenient, value), value, self.source, where)
        findings.judge(mode, wrong)
        places = {fault.where for fault in wrong}
        found = unknown_fields(_refusals(self._strict, value), value, self.twin, where)
        unknown = [(depth, fault) for depth, fault in found if fault.where not in places]
        if mode is Validate.STRICT:
            findings.faults += [fault for depth, fault in unknown if depth == 0]
            # Deeper ones are never a fault by themselves: the API grows there every week.
            unknown = [(depth, fault) for depth, fault in unknown if depth > 0]
        if unknown:
            findings.warnings.append(_one_warning([fault for _, fault in unknown], where))


def _one_warning(unknown: list[Fault], where: str) -> Fault:
    """One warning that names all unknown fields."""
    names = [f"{fault.where}{f' ({fault.suggestion})' if fault.suggestion else ''}" for fault in unknown]
    fields = "an unknown field" if len(names) == 1 else f"{len(names)} unknown fields"
    return Fault(where, f"{fields}: {', '.join(names)}", "sent as they are")


def _refusals(validator: Draft202012Validator, value: JSON) -> list[Any]:
    return list(validator.iter_errors(value))


def _compiled(schema: dict[str, JSON]) -> Draft202012Validator:
    return Draft202012Validator(schema)
