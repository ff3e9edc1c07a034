"""Example requests and values, as a person could have typed them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from connector.catalogue.catalogue import Catalogue
from connector.catalogue.flat_schema import FlatSchema, flatten
from connector.catalogue.operation import Operation
from connector.model import JSON

__all__ = ["example_model", "example_number", "example_request", "example_string"]

SHOWN = ("model", "input")
"""Properties that are shown even where they are optional: without them a call makes no sense."""
LIKELY = ("name", "prompt", "session", "role", "metadata", "file")
"""Properties of which the first is shown where nothing is required."""
DEEPEST = 12
FILES = (
    ("mask", "mask.png"), ("recording", "consent.wav"), ("audio", "audio.mp3"), ("image", "image.png"),
    ("video", "video.mp4"), ("skill", "skill.zip"), ("", "document.pdf"),
)  # fmt: skip
"""A file's name for a field or an entity whose own contains the word."""


def example_request(operation: Operation, catalogue: Catalogue) -> dict[str, JSON]:
    """Build a minimal request for an operation; its path, query and payload pass their schemas."""
    schema = catalogue.payload_schema(operation)
    request: dict[str, JSON] = {
        "path": _build_object(flatten(catalogue.path_schema(operation)), operation.entity, 0),
        "query": _build_object(flatten(catalogue.query_schema(operation)), operation.entity, 0),
        "payload": None if schema is None else _build_payload(flatten(schema), operation.entity),
    }
    return {section: value for section, value in request.items() if value not in ({}, None)}


def _build_payload(shape: FlatSchema, entity: str) -> JSON:
    if "object" not in shape.types:
        return _build_value(shape, "payload", entity, 0)
    payload = _build_object(shape, entity, 0)
    shown = [name for name in (*SHOWN, *shape.filled) if name in shape.properties and name not in payload]
    for name in shown:
        payload[name] = _build_value(shape.property(name), name, entity, 1)
    if not payload:
        likely = [name for name in (*LIKELY, *shape.properties) if name in shape.properties]
        tried = [{name: _build_value(shape.property(name), name, entity, 1)} for name in likely]
        payload = next((one for one in tried if any(one.values())), payload)
    return {name: payload[name] for name in (*SHOWN, *payload) if name in payload}


def _build_object(shape: FlatSchema, entity: str, depth: int) -> dict[str, Any]:
    names = [*shape.required]
    lacking = shape.limit("minProperties", 0) - len(names)
    names += [name for name in shape.properties if name not in names][: max(0, lacking)]
    if not names and shape.is_map:
        return {"project": "demo"}
    return {name: _build_value(shape.property(name), name, entity, depth + 1) for name in names}


def _build_value(shape: FlatSchema, name: str, entity: str, depth: int) -> JSON:
    if shape.choices:
        likely = example_model(entity) if name == "model" else None
        return likely if likely in shape.choices else next((one for one in shape.choices if one is not None), None)
    kind = shape.types[0]
    if kind == "object":
        return _choose_file(name, entity) if shape.is_file else _build_object(shape, entity, depth)
    if kind == "array":
        return _build_array(shape, name, entity, depth)
    if kind == "string":
        return _choose_file(name, entity) if shape.is_file else example_string(name, entity, shape.facts)
    if kind in ("integer", "number"):
        return example_number(name, kind, shape.facts)
    return {"boolean": True, "null": None}[kind]


def _build_array(shape: FlatSchema, name: str, entity: str, depth: int) -> list[JSON]:
    count = max(shape.limit("minItems", 0), 0 if depth > DEEPEST else 1)
    count = min(count, shape.limit("maxItems", count))
    item = _build_value(shape.items(), name.removesuffix("s"), entity, depth + 1)
    return [item or _build_some_of(shape.items(), entity)] * count


def _build_some_of(shape: FlatSchema, entity: str) -> JSON:
    """Return an object that requires nothing, with the text fields it may have."""
    plain = [name for name in shape.properties if shape.property(name).types[0] == "string"][:2]
    return {name: _build_value(shape.property(name), name, entity, DEEPEST) for name in plain}


def _choose_file(name: str, entity: str) -> Mapping[str, JSON]:
    return {"$file": next(file for word, file in FILES if word in name or word in entity)}


MODELS = (
    ("embedding", "text-embedding-3-small"), ("moderation", "omni-moderation-latest"), ("speech", "gpt-4o-mini-tts"),
    ("transcription", "gpt-4o-transcribe"), ("translation", "whisper-1"), ("image", "gpt-image-1"), ("video", "sora-2"),
    ("realtime", "gpt-realtime"), ("live", "gpt-realtime"), ("engine", "davinci"), ("", "gpt-4.1"),
)  # fmt: skip
"""A model's name for an entity whose own contains the word."""

FORMATS = {
    "uri": "https://example.com/", "date-time": "2026-01-01T00:00:00Z", "date": "2026-01-01", "byte": "aGVsbG8=",
    "base64": "aGVsbG8=", "email": "ada@example.com", "uuid": "00000000-0000-4000-8000-000000000000",
    "ipv4": "192.0.2.1",
}  # fmt: skip

NAMES = (
    (r"(^|_)(url|uri|issuer)$", "https://example.com/"), (r"email", "ada@example.com"), (r"^sdp$", "v=0"),
    (r"(^|_)(prompt|input|content|text|question|query|instructions?)$", "Say hello."), (r"^filename$", "data.jsonl"),
    (r"^mime_type$", "text/jsonl"), (r"^language$", "en"), (r"(^|_)file_ids?$", "file-abc123"),
    (r"^(training|validation)_file$", "file-abc123"), (r"md5", "5d41402abc4b2a76b9719d911017c592"),
    (r"^voice$", "alloy"), (r"timezone", "UTC"), (r"currency", "USD"), (r"path$", "/mnt/data/notes.txt"),
    (r"certificate$", "-----BEGIN CERTIFICATE-----"), (r"expression", "0 9 * * *"), (r"version", "1"),
)  # fmt: skip
"""Values by a pattern of the field's name; the first match counts."""

NUMBERS = (
    (r"_at$|_time$", 1767225600), (r"^limit$", 20), (r"bytes", 1024), (r"seconds", 3600), (r"^status_code$", 486),
)  # fmt: skip
"""The same for numbers."""

PATTERNS = (
    "abc123", "abc_123", "abc-123", "ABC", "a", "1", "sk-abc123", "file-abc123", "tunnel_" + "0" * 32, "#aabbcc",
    "data:image/png;base64,aGVsbG8=", "1024x1024", "https://example.com/",
)  # fmt: skip
"""Values that are tried for a field with a pattern."""


def example_string(name: str, entity: str, facts: Mapping[str, Any]) -> str:
    """Return an example string for a field that fits the field's schema."""
    candidates = [_read_default(facts), FORMATS.get(facts.get("format", "")), _choose_by_name(name, entity), *PATTERNS]
    fitting = (value for value in candidates if value is not None and _fits(value, facts))
    return next(fitting, _fit_length(_choose_by_name(name, entity), facts))


def example_model(entity: str) -> str:
    """Return the name of a model that suits an entity."""
    return next(model for word, model in MODELS if word in entity)


def _read_default(facts: Mapping[str, Any]) -> str | None:
    default = facts.get("default")
    return default if isinstance(default, str) and default else None


def _choose_by_name(name: str, entity: str) -> str:
    if name == "model":
        return example_model(entity)
    if name == "prompt" and re.search("image|video", entity):
        return "A lighthouse at dawn."
    for pattern, value in NAMES:
        if re.search(pattern, name):
            return value
    is_id = name == "id" or name.endswith("_id")
    return f"{name.removesuffix('_id')}_abc123" if is_id else f"my-{name.replace('_', '-')}"


def _fits(value: str, facts: Mapping[str, Any]) -> bool:
    long_enough = facts.get("minLength", 0) <= len(value) <= facts.get("maxLength", len(value))
    return long_enough and ("pattern" not in facts or re.search(facts["pattern"], value) is not None)


def _fit_length(value: str, facts: Mapping[str, Any]) -> str:
    return value.ljust(facts.get("minLength", 0), "x")[: facts.get("maxLength")]


def example_number(name: str, kind: str, facts: Mapping[str, Any]) -> JSON:
    """Return an example number for a field within its bounds."""
    named = next((value for pattern, value in NUMBERS if re.search(pattern, name)), 1)
    value = facts["default"] if isinstance(facts.get("default"), (int, float)) else named
    low = facts.get("minimum", facts.get("exclusiveMinimum"))
    high = facts.get("maximum", facts.get("exclusiveMaximum"))
    if low is not None and value <= low:
        value = low if "minimum" in facts else low + (1 if kind == "integer" else 0.5)
    if high is not None and value >= high:
        value = high if "maximum" in facts else high - (1 if kind == "integer" else 0.5)
    step = facts.get("multipleOf")
    return value if not step else -(-value // step) * step
