"""What preparing an operation needs, worked out once."""

from __future__ import annotations

from connector.catalogue import Catalogue
from connector.catalogue.operation import Operation
from connector.model import JSON, Fault, members
from connector.request.check import Schema
from connector.request.filefields import file_fields
from connector.request.headers import Headers
from connector.request.path import Template
from connector.request.query import Query, plain

__all__ = ["Plan"]


class Plan:
    """An operation's template, names, headers and schemas, ready to be used again and again."""

    def __init__(self, catalogue: Catalogue, operation: Operation) -> None:
        self.operation = operation
        self.template = Template.of(operation.template)
        self.query = Query(operation)
        self.headers = Headers(operation)
        self.warnings = _warnings(operation)
        self.path = Schema(lambda: catalogue.path_schema(operation)) if operation.path else None
        self.queries = Schema(lambda: _named_plainly(catalogue.query_schema(operation)))
        self._catalogue = catalogue
        self._payloads: dict[str, Schema] = {}
        self._files: dict[str, frozenset[str]] = {}

    def payload(self, kind: str) -> Schema:
        """The schema of the payload for one kind of body."""
        if kind not in self._payloads:
            self._payloads[kind] = Schema(lambda: _objective(self._catalogue.payload_schema(self.operation, kind)))
        return self._payloads[kind]

    def files(self, kind: str) -> frozenset[str]:
        """The fields of the payload that take files."""
        if kind not in self._files:
            self._files[kind] = file_fields(self.payload(kind).source)
        return self._files[kind]


def _objective(schema: dict[str, JSON] | None) -> dict[str, JSON]:
    """A payload's schema that says of itself that it is an object, where its declaration took that for granted."""
    name = (schema or {}).get("$ref", "").removeprefix("#/$defs/")
    declared = members(members((schema or {}).get("$defs")).get(name))
    if schema is None or "properties" not in declared or "type" in declared:
        return schema or {}
    return {**schema, "$defs": {**schema["$defs"], name: {"type": "object", **declared}}}


def _named_plainly(schema: dict[str, JSON]) -> dict[str, JSON]:
    """A query's schema by names without brackets; missing and unknown names are found before it is asked."""
    properties = {plain(name): part for name, part in schema.get("properties", {}).items()}
    return {key: value for key, value in schema.items() if key != "required"} | {"properties": properties}


def _warnings(operation: Operation) -> tuple[Fault, ...]:
    where = f"operation {operation.name}"
    if operation.removed:
        return (Fault(where, f"removed from the API on {operation.removed}", "the API may refuse it"),)
    if operation.deprecated:
        return (Fault(where, "deprecated", "it still works; look for its successor"),)
    return ()
