"""What preparing an operation needs, worked out once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

from connector.catalogue import Catalogue
from connector.catalogue.operation import Operation
from connector.model import JSON, Fault, Request, members
from connector.request.headers import BETA, Headers
from connector.request.path import Template
from connector.request.query import Query, encode_scalar, strip_brackets
from connector.request.schema_fields import find_file_fields
from connector.request.successors import describe_successor, has_successor
from connector.request.validation import CompiledSchema, Findings

__all__ = [
    "Plan",
    "choose_accept",
    "find_constant_headers",
    "find_plain_kind",
    "find_stream_origin",
    "is_streaming",
    "switch_stream",
]

PLAIN_TEXT = ("text", "srt", "vtt")
ACCEPTED = {"events": "text/event-stream", "binary": "application/octet-stream", "text": "text/plain, */*"}


class Plan:
    """An operation's template, names, headers and schemas, ready to be used again and again.

    Most requests give no path, query or header parameters: what goes out then is a constant of the plan.
    """

    def __init__(self, catalogue: Catalogue, operation: Operation) -> None:
        self.operation = operation
        self.warnings = _find_warnings(catalogue, operation)
        self.constant_path = None if "{" in operation.template else operation.template
        self.constant_query = None if operation.required_query else tuple(operation.fixed_query.items())
        self.constant_headers = find_constant_headers(operation)
        self._plain_answer = find_plain_kind(operation)
        self._has_one_answer = len(operation.answer) <= 1 and not operation.stream
        self._catalogue = catalogue
        self._payloads: dict[str, CompiledSchema] = {}
        self._files: dict[str, frozenset[str]] = {}

    @cached_property
    def template(self) -> Template:
        return Template.of(self.operation.template)

    @cached_property
    def query(self) -> Query:
        return Query(self.operation)

    @cached_property
    def headers(self) -> Headers:
        return Headers(self.operation, self.constant_headers)

    @cached_property
    def path_schema(self) -> CompiledSchema | None:
        catalogue, operation = self._catalogue, self.operation
        return CompiledSchema(lambda: catalogue.path_schema(operation)) if operation.path else None

    @cached_property
    def query_schema(self) -> CompiledSchema:
        return CompiledSchema(lambda: _strip_names(self._catalogue.query_schema(self.operation)))

    def answer_kind(self, asked: Request) -> str:
        """Return the kind of answer that is due."""
        if self._has_one_answer:
            return self._plain_answer
        kinds = self.operation.answer
        if "events" in kinds and is_streaming(self.operation, asked):
            return "events"
        if "text" in kinds and members(asked.payload).get("response_format") in PLAIN_TEXT:
            return "text"
        return self._plain_answer

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


def _find_warnings(catalogue: Catalogue, operation: Operation) -> tuple[Fault, ...]:
    where = f"operation {operation.name}"
    if operation.removed:
        hint = "on_removed: successor sends it there" if has_successor(operation) else ""
        allowed = f"the API may refuse it; {describe_successor(catalogue, operation)}"
        return (Fault(where, f"removed from the API on {operation.removed}", allowed, hint),)
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
    if not switch.keys() <= section.keys():
        return False
    return all(section[name] == value or section[name] == encode_scalar(value) for name, value in switch.items())


def find_plain_kind(operation: Operation) -> str:
    """Return the kind of answer that comes when nothing asks for another."""
    kinds = operation.answer
    return next((kind for kind in kinds if kind != "events"), next(iter(kinds), "json"))


def choose_accept(operation: Operation) -> str:
    """Return the kinds of answer to ask for: JSON where there is any, else what the operation gives."""
    kinds = operation.answer
    if "sdp" in operation.body:
        return "application/sdp"
    if "binary" in kinds:
        return "application/binary" if operation.method == "GET" else ACCEPTED["binary"]
    if "json" in kinds or not kinds:
        return "application/json"
    return next((ACCEPTED[kind] for kind in kinds if kind in ACCEPTED), "*/*")


def find_constant_headers(operation: Operation) -> dict[str, str]:
    """Return the headers that every call of an operation has, unless its caller gives others."""
    accept = {"accept": choose_accept(operation)}
    return {**accept, BETA: operation.beta} if operation.beta else accept


def _find_section(operation: Operation, asked: Request) -> Mapping[str, JSON]:
    return asked.query if operation.stream == "query" else members(asked.payload)
