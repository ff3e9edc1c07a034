"""What preparing an operation needs, worked out once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from connector.catalogue import Catalogue
from connector.catalogue.operation import Operation
from connector.model import JSON, Fault, Request, members
from connector.request.headers import Headers
from connector.request.path import Template
from connector.request.query import Query, encode_scalar, strip_brackets
from connector.request.schema_fields import find_file_fields
from connector.request.validation import CompiledSchema, Findings

__all__ = ["Plan", "find_answer_kind", "find_plain_kind", "find_stream_origin", "is_streaming", "switch_stream"]

PLAIN_TEXT = ("text", "srt", "vtt")


class Plan:
    """An operation's template, names, headers and schemas, ready to be used again and again."""

    def __init__(self, catalogue: Catalogue, operation: Operation) -> None:
        self.operation = operation
        self.template = Template.of(operation.template)
        self.query = Query(operation)
        self.headers = Headers(operation)
        self.warnings = _find_warnings(operation)
        self.path = CompiledSchema(lambda: catalogue.path_schema(operation)) if operation.path else None
        self.queries = CompiledSchema(lambda: _strip_names(catalogue.query_schema(operation)))
        self._catalogue = catalogue
        self._payloads: dict[str, CompiledSchema] = {}
        self._files: dict[str, frozenset[str]] = {}

    def payload(self, kind: str) -> CompiledSchema:
        """Return the schema of the payload for one kind of body."""
        if kind not in self._payloads:
            self._payloads[kind] = CompiledSchema(
                lambda: _declare_object(self._catalogue.payload_schema(self.operation, kind))
            )
        return self._payloads[kind]

    def files(self, kind: str) -> frozenset[str]:
        """Return the fields of the payload that take files."""
        if kind not in self._files:
            self._files[kind] = find_file_fields(self.payload(kind).source)
        return self._files[kind]


def _declare_object(schema: dict[str, JSON] | None) -> dict[str, JSON]:
    """Return a payload's schema with `type: object`, where its declaration takes that for granted."""
    name = (schema or {}).get("$ref", "").removeprefix("#/$defs/")
    declared = members(members((schema or {}).get("$defs")).get(name))
    if schema is None or "properties" not in declared or "type" in declared:
        return schema or {}
    return {**schema, "$defs": {**schema["$defs"], name: {"type": "object", **declared}}}


def _strip_names(schema: dict[str, JSON]) -> dict[str, JSON]:
    """Return a query's schema by names without brackets; missing and unknown names are found before it is asked."""
    properties = {strip_brackets(name): part for name, part in schema.get("properties", {}).items()}
    return {key: value for key, value in schema.items() if key != "required"} | {"properties": properties}


def _find_warnings(operation: Operation) -> tuple[Fault, ...]:
    where = f"operation {operation.name}"
    if operation.removed:
        return (Fault(where, f"removed from the API on {operation.removed}", "the API may refuse it"),)
    if operation.deprecated:
        return (Fault(where, "deprecated", "it still works; look for its successor"),)
    return ()


def switch_stream(operation: Operation, asked: Request, findings: Findings, *, on: bool) -> Request:
    """Return the request with its stream switched on or off."""
    if "events" in operation.answer and len(operation.answer) == 1:
        return asked
    if operation.stream is None:
        if on:
            findings.faults.append(Fault("stream", f"{operation.name} cannot stream", "call it without the stream"))
        return asked
    section = _find_section(operation, asked)
    switch = dict(operation.stream_on) or {"stream": True}
    if on:
        section = {**section, **switch}
    elif is_streaming(operation, asked):
        section = {name: value for name, value in section.items() if name not in switch}
    return replace(asked, query=section) if operation.stream == "query" else replace(asked, payload=section or None)


def find_stream_origin(operation: Operation) -> dict[str, str]:
    """Return the origin of the stream's switch, which the call sets and not its request."""
    section = operation.stream or "payload"
    return {f"{section}.{name}": "the call's stream" for name in operation.stream_on or ("stream",)}


def is_streaming(operation: Operation, asked: Request) -> bool:
    """Return whether the request asks for events."""
    if operation.stream is None:
        return False
    section, switch = _find_section(operation, asked), operation.stream_on or {"stream": True}
    return all(
        section.get(name) == value or section.get(name) == encode_scalar(value) for name, value in switch.items()
    )


def find_answer_kind(operation: Operation, asked: Request) -> str:
    """Return the kind of answer that is due."""
    kinds = operation.answer
    if len(kinds) > 1 or operation.stream:
        if "events" in kinds and is_streaming(operation, asked):
            return "events"
        if "text" in kinds and members(asked.payload).get("response_format") in PLAIN_TEXT:
            return "text"
    return find_plain_kind(operation)


def find_plain_kind(operation: Operation) -> str:
    """Return the kind of answer that comes when nothing asks for another."""
    kinds = operation.answer
    return next((kind for kind in kinds if kind != "events"), next(iter(kinds), "json"))


def _find_section(operation: Operation, asked: Request) -> Mapping[str, JSON]:
    return asked.query if operation.stream == "query" else members(asked.payload)
