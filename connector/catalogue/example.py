"""A request that shows how an operation is called: what it requires, with values one could have typed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from connector.catalogue.plausible import model_for, number, plausible
from connector.catalogue.shapes import Shape, shape_of
from connector.model import JSON

if TYPE_CHECKING:
    from connector.catalogue.catalogue import Catalogue
    from connector.catalogue.operation import Operation

__all__ = ["example_request"]

SHOWN = ("model", "input")
"""Properties that are shown even where they are optional: without them a call makes no sense."""
LIKELY = ("name", "prompt", "session", "role", "metadata", "file")
"""What is shown, first come, where nothing is required."""
DEEPEST = 12
FILES = (
    ("mask", "mask.png"), ("recording", "consent.wav"), ("audio", "audio.mp3"), ("image", "image.png"),
    ("video", "video.mp4"), ("skill", "skill.zip"), ("", "document.pdf"),
)  # fmt: skip
"""A file's name for a field or an entity whose own contains the word."""


def example_request(operation: Operation, catalogue: Catalogue) -> dict[str, JSON]:
    """A minimal request for the operation whose path, query and payload pass their schemas."""
    schema = catalogue.payload_schema(operation)
    request: dict[str, JSON] = {
        "path": _object(shape_of(catalogue.path_schema(operation)), operation.entity, 0),
        "query": _object(shape_of(catalogue.query_schema(operation)), operation.entity, 0),
        "payload": None if schema is None else _payload(shape_of(schema), operation.entity),
    }
    return {section: value for section, value in request.items() if value not in ({}, None)}


def _payload(shape: Shape, entity: str) -> JSON:
    if "object" not in shape.types:
        return _value(shape, "payload", entity, 0)
    payload = _object(shape, entity, 0)
    shown = [name for name in (*SHOWN, *shape.filled) if name in shape.properties and name not in payload]
    for name in shown:
        payload[name] = _value(shape.property(name), name, entity, 1)
    if not payload:
        likely = [name for name in (*LIKELY, *shape.properties) if name in shape.properties]
        tried = [{name: _value(shape.property(name), name, entity, 1)} for name in likely]
        payload = next((one for one in tried if any(one.values())), payload)
    return {name: payload[name] for name in (*SHOWN, *payload) if name in payload}


def _object(shape: Shape, entity: str, depth: int) -> dict[str, Any]:
    names = [*shape.required]
    lacking = shape.limit("minProperties", 0) - len(names)
    names += [name for name in shape.properties if name not in names][: max(0, lacking)]
    if not names and shape.is_map:
        return {"project": "demo"}
    return {name: _value(shape.property(name), name, entity, depth + 1) for name in names}


def _value(shape: Shape, name: str, entity: str, depth: int) -> JSON:
    if shape.choices:
        likely = model_for(entity) if name == "model" else None
        return likely if likely in shape.choices else next((one for one in shape.choices if one is not None), None)
    kind = shape.types[0]
    if kind == "object":
        return _file(name, entity) if shape.is_file else _object(shape, entity, depth)
    if kind == "array":
        return _array(shape, name, entity, depth)
    if kind == "string":
        return _file(name, entity) if shape.is_file else plausible(name, entity, shape.facts)
    if kind in ("integer", "number"):
        return number(name, kind, shape.facts)
    return {"boolean": True, "null": None}[kind]


def _array(shape: Shape, name: str, entity: str, depth: int) -> list[JSON]:
    count = max(shape.limit("minItems", 0), 0 if depth > DEEPEST else 1)
    count = min(count, shape.limit("maxItems", count))
    item = _value(shape.items(), name.removesuffix("s"), entity, depth + 1)
    return [item or _some_of(shape.items(), entity)] * count


def _some_of(shape: Shape, entity: str) -> JSON:
    """An object that requires nothing, with the plain fields it may have."""
    plain = [name for name in shape.properties if shape.property(name).types[0] == "string"][:2]
    return {name: _value(shape.property(name), name, entity, DEEPEST) for name in plain}


def _file(name: str, entity: str) -> Mapping[str, JSON]:
    return {"$file": next(file for word, file in FILES if word in name or word in entity)}
