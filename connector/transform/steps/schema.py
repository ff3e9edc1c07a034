"""`schema`: a JSON Schema check in the middle of a chain."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import orjson

from connector.errors import ConfigurationError
from connector.model import JSON, is_document
from connector.request.faults import explain
from connector.transform.context import Scope
from connector.transform.declaration import Field, Run, Step
from connector.transform.edit import assign
from connector.transform.fields import At, choice, path
from connector.transform.fields.values import read_as_template
from connector.transform.paths import MISSING, look_up
from connector.transform.signals import Skipped, Unfit
from connector.transform.site import Site
from connector.transform.template import Template

__all__ = ["SCHEMA"]

FaultsOf = Callable[[JSON, JSON, Scope], list[str]]
KEPT = 64
"""Compiled schemas kept for a step whose schema is looked up."""
MOST = 10
"""Faults named in one message."""


def _build(schema: Any, source: At | None, on_invalid: str, destination: At | None) -> Run:
    faults_of = _looked_up(schema) if isinstance(schema, Template) else _fixed(schema)
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


def _fixed(schema: JSON) -> FaultsOf:
    faults = _checker(schema)
    return lambda value, _document, _scope: faults(value)


def _looked_up(schema: Template) -> FaultsOf:
    """Checks against the schema that a placeholder gives; the same one is compiled once, and null checks nothing."""

    @lru_cache(maxsize=KEPT)
    def checker(text: bytes) -> Callable[[JSON], list[str]]:
        return _checker(orjson.loads(text))

    def faults(value: JSON, document: JSON, scope: Scope) -> list[str]:
        found = schema.resolve(document, scope)
        if found is None:
            return []
        try:
            return checker(orjson.dumps(found, option=orjson.OPT_SORT_KEYS))(value)
        except ConfigurationError as error:
            raise Unfit(str(error)) from None

    return faults


def _read(given: JSON, site: Site) -> Any:
    return read_as_template(given, site) if isinstance(given, str) else given


def _checker(schema: JSON) -> Callable[[JSON], list[str]]:
    import jsonschema_rs

    if not is_document(schema) and not isinstance(schema, bool):
        raise ConfigurationError("a schema is an object, or true or false")
    try:
        # Linear regular expressions, and no reference is ever fetched: schemas may come from anywhere.
        validator: Any = jsonschema_rs.validator_for(
            schema, retriever=_refuse, pattern_options=jsonschema_rs.RegexOptions()
        )
    except (ValueError, TypeError, jsonschema_rs.ReferencingError, jsonschema_rs.ValidationError) as error:
        raise ConfigurationError(f"not a JSON Schema: {' '.join(str(error).split())[:200]}") from None

    def faults(value: JSON) -> list[str]:
        if validator.is_valid(value):
            return []
        return [str(fault) for fault in explain(validator.iter_errors(value), value, schema, "document")]

    return faults


def _refuse(uri: str) -> JSON:
    raise ValueError(f"{uri} is not fetched: put the definition into the schema")


SCHEMA = Step(
    "schema",
    "Checks the document, or a part of it, against a JSON Schema.",
    {
        "schema": Field(
            "a JSON Schema, or a placeholder",
            "The schema; null checks nothing.",
            _read,
            {"type": ["object", "boolean", "string"]},
            True,
        ),
        "source": path("What is checked; the document unless given."),
        "on_invalid": choice("What happens to a document that is refused.", ("fail", "skip", "note"), default="fail"),
        "destination": path("Where the list of faults goes with on_invalid: note."),
    },
    _build,
)
