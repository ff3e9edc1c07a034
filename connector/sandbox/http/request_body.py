"""The body of a request: its kind, its size limits, its payload."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import orjson

from connector.catalogue import Operation
from connector.documents import parse
from connector.errors import InvalidDocument
from connector.model import JSON
from connector.sandbox.http.form_data import parse_multipart, read_boundary
from connector.sandbox.http.request_validator import RequestValidator
from connector.sandbox.messages import ApiError

__all__ = ["MOST_BYTES", "parse_if_json", "read_body"]

MOST_BYTES = 640 * 1024 * 1024
"""The limit of a form; the largest file that the API takes has 512 MB."""
MOST_JSON_BYTES = 256 * 1024 * 1024
CONTENT_TYPES = {"json": "application/json", "multipart": "multipart/form-data", "sdp": "application/sdp"}


class RequestBody(NamedTuple):
    """The payload of a body, and its kind."""

    kind: str
    payload: JSON


def read_body(
    operation: Operation, headers: Mapping[str, str], data: bytes, validator: RequestValidator
) -> RequestBody:
    """Return the validated payload of a body; raise ApiError where it is invalid."""
    if not operation.body:
        return RequestBody("", None)
    kind = _choose_kind(operation, headers.get("content-type", ""), data)
    if kind == "multipart":
        fields = parse_multipart(data, read_boundary(headers["content-type"])) if data else ()
        return RequestBody(kind, validator.validate_form(operation, tuple(fields)))
    if kind == "sdp":
        return RequestBody(kind, data.decode("utf-8", "replace"))
    payload = _parse_json(data)
    validator.validate_payload(operation, kind, payload)
    return RequestBody(kind, payload)


def parse_if_json(data: bytes) -> JSON:
    """Return the payload of a refused body, or None where it is not JSON."""
    try:
        return parse(data) if data and len(data) <= MOST_JSON_BYTES else None
    except InvalidDocument:
        return None


def _choose_kind(operation: Operation, content_type: str, data: bytes) -> str:
    said = content_type.partition(";")[0].strip().lower()
    kind = next((kind for kind in operation.body if CONTENT_TYPES[kind] == said), None)
    if kind:
        return kind
    # A command line sends JSON as a form; what is no form at all can only be meant as JSON.
    if "json" in operation.body and (not data or said not in ("multipart/form-data", "text/plain")):
        return "json"
    if not data:
        return operation.body[0]
    allowed = " or ".join(f"'{CONTENT_TYPES[kind]}'" for kind in operation.body)
    found = f"'Content-Type: {said[:60]}'" if said else "none"
    message = f"Unsupported content type: this takes {allowed} requests, but the header is {found}."
    raise ApiError(400, message, code="unsupported_content_type")


def _parse_json(data: bytes) -> JSON:
    if not data:
        return {}
    if len(data) > MOST_JSON_BYTES:
        raise ApiError(
            413, f"The body has {len(data)} bytes; at most {MOST_JSON_BYTES} are allowed.", code="request_too_large"
        )
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        message = f"We could not parse the JSON body of your request: {error.msg} at {place}."
        raise ApiError(400, message) from None
