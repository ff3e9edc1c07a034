"""`schema`: a JSON Schema check in the middle of a chain."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import orjson

from connector.errors import ConfigurationError, InvalidDocument
from connector.model import JSON
from connector.request.display import describe_value
from connector.request.user_schema import InvalidSchema, Validator
from connector.transform.context import Scope
from connector.transform.declaration import Field, Location, Step
from connector.transform.edit import assign
from connector.transform.errors import Skipped, Unfit
from connector.transform.fields import PathOf, choice, path
from connector.transform.fields.scalars import read_as_template
from connector.transform.paths import MISSING, look_up
from connector.transform.template import Template
from connector.transform.types import Run

__all__ = ["SCHEMA"]

FaultsOf = Callable[[JSON, JSON, Scope], list[str]]
KEPT = 64
"""Compiled schemas that are kept for a step whose schema is a placeholder."""
MOST = 10
"""The most faults in one message."""


def _build(
    schema: Any, formats: bool | None, source: PathOf | None, on_invalid: str, destination: PathOf | None
) -> Run:
    faults_of = _check_dynamic(schema, formats) if isinstance(schema, Template) else _check_fixed(schema, formats)
    if on_invalid == "note" and destination is None:
        raise ConfigurationError("on_invalid: note needs a destination for what it notes")

    def run(document: JSON, scope: Scope) -> JSON:
        value = look_up(document, source(document, scope)) if source else document
        faults = ["nothing stands at the source"] if value is MISSING else faults_of(value, document, scope)
        if on_invalid == "note" and destination is not None:
            return assign(document, destination(document, scope), faults)
        if faults and on_invalid == "skip":
            raise Skipped("", "; ".join(faults[:MOST]))
        if faults:
            raise Unfit("; ".join(faults[:MOST]))
        return document

    return run


def _check_fixed(schema: JSON, formats: bool | None) -> FaultsOf:
    validator = Validator(schema, formats=formats)
    return lambda value, _document, _scope: _list_faults(validator, value)


def _check_dynamic(schema: Template, formats: bool | None) -> FaultsOf:
    """Return a check against the schema of a placeholder; one schema is compiled once, and null checks nothing."""

    @lru_cache(maxsize=KEPT)
    def compile_schema(text: bytes) -> Validator:
        return Validator(orjson.loads(text), formats=formats)

    def faults(value: JSON, document: JSON, scope: Scope) -> list[str]:
        found = schema.resolve(document, scope)
        if found is None:
            return []
        try:
            validator = compile_schema(orjson.dumps(found, option=orjson.OPT_SORT_KEYS))
        except (InvalidSchema, TypeError) as error:
            raise Unfit(str(error)) from None
        return _list_faults(validator, value)

    return faults


def _list_faults(validator: Validator, value: JSON) -> list[str]:
    try:
        return [str(fault) for fault in validator.faults(value)]
    except InvalidDocument as error:
        return [str(error)]


def _read_schema(given: JSON, location: Location) -> Any:
    if isinstance(given, str):
        return read_as_template(given, location)
    try:
        Validator(given)
    except InvalidSchema as invalid:
        for place, fault in invalid.faults:
            location.at(*place).fault(fault.found, fault.allowed, fault.suggestion)
    return given


def _read_formats(given: JSON, location: Location) -> bool | None:
    if not isinstance(given, bool):
        location.fault(f"found {describe_value(given)}", "true or false is needed")
        return None
    return given


SCHEMA = Step(
    "schema",
    "Checks the document, or a part of it, against a JSON Schema.",
    {
        "schema": Field(
            "a JSON Schema, or a placeholder",
            "The schema, with all that it refers to; one that a placeholder gives may be null, which checks nothing.",
            _read_schema,
            {"type": ["object", "boolean", "string"]},
            True,
        ),
        "formats": Field(
            "true or false",
            "Whether `format` is checked; unless given, as the schema's draft has it: up to draft 7.",
            _read_formats,
            {"type": "boolean"},
        ),
        "source": path("What is checked; the document unless given."),
        "on_invalid": choice("What happens to a document that is refused.", ("fail", "skip", "note"), default="fail"),
        "destination": path("Where the list of faults goes with on_invalid: note."),
    },
    _build,
)
