"""A request's body, bounded, and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import orjson

from connector.catalogue import Operation
from connector.documents import parse
from connector.errors import InvalidDocument
from connector.model import JSON
from connector.sandbox.checking import Checker
from connector.sandbox.messages import Refused
from connector.sandbox.multipart import boundary_of, fields_of

__all__ = ["MOST_BYTES", "Body", "as_far_as_json", "read"]

MOST_BYTES = 640 * 1024 * 1024
"""Of a form; the largest file that the API takes has 512 MB."""
MOST_JSON = 256 * 1024 * 1024
TYPES = {"json": "application/json", "multipart": "multipart/form-data", "sdp": "application/sdp"}


class Body(NamedTuple):
    """What a body says, and which kind of body it is."""

    kind: str
    payload: JSON


def read(operation: Operation, headers: Mapping[str, str], data: bytes, checker: Checker) -> Body:
    """The payload in a body, checked; refused when it is none or not allowed."""
    if not operation.body:
        return Body("", None)
    kind = _kind(operation, headers.get("content-type", ""), data)
    if kind == "multipart":
        fields = fields_of(data, boundary_of(headers["content-type"])) if data else ()
        return Body(kind, checker.form(operation, tuple(fields)))
    if kind == "sdp":
        return Body(kind, data.decode("utf-8", "replace"))
    payload = _json(data)
    checker.payload(operation, kind, payload)
    return Body(kind, payload)


def as_far_as_json(data: bytes) -> JSON:
    """What a refused body says, where it is JSON at all."""
    try:
        return parse(data) if data and len(data) <= MOST_JSON else None
    except InvalidDocument:
        return None


def _kind(operation: Operation, content_type: str, data: bytes) -> str:
    said = content_type.partition(";")[0].strip().lower()
    kind = next((kind for kind in operation.body if TYPES[kind] == said), None)
    if kind:
        return kind
    # A command line sends JSON as a form; what is no form at all can only be meant as JSON.
    if "json" in operation.body and (not data or said not in ("multipart/form-data", "text/plain")):
        return "json"
    if not data:
        return operation.body[0]
    allowed = " or ".join(f"'{TYPES[kind]}'" for kind in operation.body)
    found = f"'Content-Type: {said[:60]}'" if said else "none"
    message = f"Unsupported content type: this takes {allowed} requests, but the header is {found}."
    raise Refused(400, message, code="unsupported_content_type")


def _json(data: bytes) -> JSON:
    if not data:
        return {}
    if len(data) > MOST_JSON:
        raise Refused(
            413, f"The body has {len(data)} bytes; at most {MOST_JSON} are allowed.", code="request_too_large"
        )
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        message = f"We could not parse the JSON body of your request: {error.msg} at {place}."
        raise Refused(400, message) from None
