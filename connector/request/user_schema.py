"""A JSON Schema that a user gives: compiled once, its verdict final, its refusals and its own faults in words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import islice
from typing import Any

from connector.documents import check_json, member_path
from connector.errors import ConfigurationError, InvalidDocument
from connector.model import JSON, Fault, is_document, items, members
from connector.request.display import describe_value, show_value
from connector.request.faults import explain_refusals, report_unexplained
from connector.request.unions import MOST_EXPLAINED, UnionBreadth

__all__ = ["InvalidSchema", "SchemaFault", "Validator"]

Path = tuple[str | int, ...]
SchemaFault = tuple[Path, Fault]
"""The path within a schema, and what is wrong there."""

LATEST = "https://json-schema.org/draft/2020-12/schema"
REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef", "$schema", "$id", "$anchor", "$dynamicAnchor")
PATTERN = "a regular expression that takes linear time is allowed, without look-around and back-references"
OWN = "a schema refers to its own parts, and nothing is fetched: put the definition under `$defs`"
QUOTED = re.compile(r"'([^']*)'")
MOST_SHOWN = 200


class InvalidSchema(ConfigurationError):
    """A schema that is none."""

    def __init__(self, faults: Sequence[SchemaFault]) -> None:
        self.faults = tuple(faults)
        super().__init__(f"not a JSON Schema: {'; '.join(str(fault) for _, fault in faults)}")


class Validator:
    """A compiled schema; InvalidSchema lists everything that is wrong with one.

    Args:
        schema: an object, or true or false.
        formats: whether `format` is asserted; None leaves it to the draft (asserted up to draft 7).
    """

    def __init__(self, schema: JSON, *, formats: bool | None = None) -> None:
        self._schema = schema
        self._judge = _compile(schema, formats)
        self._breadth = UnionBreadth(schema)

    def faults(self, value: JSON, where: str = "document") -> list[Fault]:
        """Return what the schema has against a value; empty only for one that it accepts.

        A value that is not JSON raises InvalidDocument.
        """
        check_json(value, where)
        if self._judge.is_valid(value):
            return []
        refusals = islice(self._judge.iter_errors(value), most) if (most := self._breadth.refusals(value)) else ()
        return explain_refusals(refusals, value, self._schema, where) or [report_unexplained(value, where)]


def _compile(schema: JSON, formats: bool | None) -> Any:
    import jsonschema_rs

    if not (is_document(schema) or isinstance(schema, bool)):
        raise InvalidSchema(
            [((), Fault("schema", f"found {describe_value(schema)}", "a schema is an object, or true or false"))]
        )
    try:
        check_json(schema, "schema")
    except InvalidDocument as error:
        raise InvalidSchema([((), Fault("schema", str(error), "a schema is JSON"))]) from None
    try:
        # Linear regular expressions, and no reference is ever fetched: schemas may come from anywhere.
        return jsonschema_rs.validator_for(
            schema, validate_formats=formats, retriever=_refuse, pattern_options=jsonschema_rs.RegexOptions()
        )
    except (ValueError, TypeError, jsonschema_rs.ReferencingError) as error:
        raise InvalidSchema(_find_schema_faults(schema, error)) from None


def _refuse(uri: str) -> JSON:
    raise ValueError(f"{uri} is not fetched")


def _find_schema_faults(schema: JSON, error: Exception) -> list[SchemaFault]:
    """Return everything that the schema of schemas has against a schema, or else what the compiler said."""
    found = list(dict.fromkeys(_iter_draft_faults(schema)))
    if found:
        return found
    text = " ".join(str(getattr(error, "message", error)).split())[:MOST_SHOWN]
    path: Path = tuple(getattr(error, "instance_path", ()))
    if path:
        value = _find_value(schema, path)
        written = show_value(value if isinstance(value, str) else path[-1])  # the pattern of a member is its name
        return [(path, Fault(_join_path(path), f"found {written}", PATTERN if "regex" in text else text))]
    return [_report_reference(schema, text)]


def _iter_draft_faults(schema: JSON) -> Iterator[SchemaFault]:
    import jsonschema_rs

    draft = members(schema).get("$schema", LATEST)
    try:
        judge = jsonschema_rs.validator_for({"$schema": draft, "$ref": draft}, retriever=_refuse)
    except (ValueError, TypeError):
        return
    for refusal in islice(judge.iter_errors(schema), MOST_EXPLAINED):
        path: Path = tuple(refusal.instance_path)
        yield from ((path, fault) for fault in explain_refusals([refusal], schema, {}, "schema"))


def _report_reference(schema: JSON, text: str) -> SchemaFault:
    """Return the fault of a reference that leads nowhere, at its place."""
    target = quoted[1] if (quoted := QUOTED.search(text)) else ""
    for path, reference in _iter_references(schema, ()):
        resource = reference.partition("#")[0]
        if reference.endswith(target) or (resource and target.endswith(resource)):
            wrong = "is no reference" if "Invalid URI" in text else "is not in the schema"
            return path, Fault(_join_path(path), f"found {show_value(reference)}, which {wrong}", OWN)
    return (), Fault("schema", text, "a JSON Schema is needed")


def _iter_references(schema: JSON, path: Path) -> Iterator[tuple[Path, str]]:
    for name, value in members(schema).items():
        if name in REFERENCES and isinstance(value, str):
            yield (*path, name), value
        yield from _iter_references(value, (*path, name))
    for index, value in enumerate(items(schema)):
        yield from _iter_references(value, (*path, index))


def _join_path(path: Path) -> str:
    return reduce(member_path, path, "schema")


def _find_value(schema: JSON, path: Path) -> JSON:
    for step in path:
        schema = items(schema)[int(step)] if isinstance(schema, list) else members(schema).get(str(step))
    return schema
