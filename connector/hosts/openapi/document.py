"""The OpenAPI 3.1 document of chosen operations, with the schemas that they reach."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from connector.catalogue.schemas import DEFS, FILLED
from connector.hosts.offers import identifier
from connector.model import JSON, Effect, is_document, is_list, members
from connector.version import version

if TYPE_CHECKING:
    from connector.catalogue import Catalogue
    from connector.catalogue.operation import Operation

__all__ = ["describe_operations", "one_each"]

SCHEMAS = "#/components/schemas/"
CONTENT_TYPES = {
    "json": "application/json",
    "multipart": "multipart/form-data",
    "sdp": "application/sdp",
    "events": "text/event-stream",
    "text": "text/plain",
    "binary": "application/octet-stream",
}
DIALECT_WORDS = frozenset(("$schema", "$defs", FILLED))
"""What is said of a schema elsewhere, or by the catalogue alone."""
TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,), "number": (int, float), "integer": (int,), "boolean": (bool,), "object": (dict,),
    "array": (list,), "null": (type(None),),
}  # fmt: skip
EFFECTS = {
    Effect.NONE: "Changes nothing.",
    Effect.IDEMPOTENT: "A second call changes nothing more.",
    Effect.RECONCILABLE: "A second call does it a second time; whether the first took effect can be found out.",
    Effect.OPAQUE: "A second call does it, and may cost, a second time.",
}


def one_each(operations: Iterable[Operation]) -> tuple[list[Operation], list[Operation]]:
    """Return one operation for each method and path, and those that OpenAPI cannot tell from them: by a fixed query."""
    plain_first = sorted(operations, key=lambda one: len(one.fixed_query))
    kept: dict[tuple[str, str], Operation] = {}
    for operation in plain_first:
        kept.setdefault((operation.method, operation.template), operation)
    return list(kept.values()), [one for one in plain_first if kept[one.method, one.template] is not one]


def describe_operations(operations: Iterable[Operation], catalogue: Catalogue, server: str) -> dict[str, JSON]:
    """Return the document.

    Args:
        operations: those that it describes, one for each method and path.
        catalogue: where their schemas are.
        server: the address that they are called at, of the API or of a gateway before it.
    """
    schemas: dict[str, JSON] = {}
    paths: dict[str, JSON] = {}
    areas: dict[str, JSON] = {}
    for operation in operations:
        place = paths.setdefault(operation.template, {})
        members(place)[operation.method.lower()] = _describe(operation, catalogue, schemas)
        areas[operation.area] = {"name": operation.area, "description": f"Operations of {operation.area}."}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "OpenAI API",
            "version": version(),
            "description": "Operations of the OpenAI API, as openai-connector knows them.",
        },
        "servers": [{"url": server}],
        "security": [{"token": []}],
        "tags": [areas[name] for name in sorted(areas)],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A key of the API, or a token of a gateway.",
                }
            },
            "schemas": {name: schemas[name] for name in sorted(schemas)},
        },
    }


def _describe(operation: Operation, catalogue: Catalogue, schemas: dict[str, JSON]) -> dict[str, JSON]:
    described: dict[str, JSON] = {
        "operationId": identifier(operation.name),
        "summary": _sentence(operation),
        "description": EFFECTS[operation.effect],
        "tags": [operation.area],
        "parameters": list(_parameters(operation, catalogue, schemas)),
    }
    bodies = {kind: catalogue.payload_schema(operation, kind) for kind in operation.body}
    content: dict[str, JSON] = {
        CONTENT_TYPES[kind]: {"schema": _take(schema, schemas)} for kind, schema in bodies.items() if schema is not None
    }
    if content:
        described["requestBody"] = {"content": content, "required": operation.payload_required}
    described["responses"] = {
        "200": _answer(operation, catalogue, schemas),
        "4XX": {"description": "Refused; the answer says why."},
        "5XX": {"description": "It failed; whether it took effect is not known."},
    }
    return {**described, "deprecated": True} if operation.deprecated else described


def _sentence(operation: Operation) -> str:
    return f"{operation.action[:1].upper()}{operation.action[1:]}: {operation.entity}"


def _parameters(operation: Operation, catalogue: Catalogue, schemas: dict[str, JSON]) -> Iterator[JSON]:
    for part, schema in (("path", catalogue.path_schema(operation)), ("query", catalogue.query_schema(operation))):
        required = schema.get("required")
        for name, declared in members(_take(schema, schemas).get("properties")).items():
            is_required = part == "path" or (is_list(required) and name in required)
            said = members(declared).get("description")
            found: dict[str, JSON] = {"name": name, "in": part, "required": is_required, "schema": declared}
            yield {**found, "description": said} if said else found

    for name, value in operation.fixed_query.items():
        yield {"name": name, "in": "query", "required": True, "schema": {"type": "string", "enum": [value]}}


def _answer(operation: Operation, catalogue: Catalogue, schemas: dict[str, JSON]) -> JSON:
    content: dict[str, JSON] = {}
    for kind, name in operation.answer.items():
        if kind == "empty":
            continue
        schema = catalogue.answer_schema(operation, kind) if name is not None else None
        shape: JSON = {"type": "string", "format": "binary"} if kind == "binary" else {"type": "string"}
        content[CONTENT_TYPES[kind]] = {"schema": _take(schema, schemas) if schema is not None else shape}
    return {"description": "Done."} | ({"content": content} if content else {})


def _take(schema: Mapping[str, JSON], schemas: dict[str, JSON]) -> dict[str, JSON]:
    """Return a schema that refers to the document's own; what it reaches is added to them.

    A definition that requests and answers share is that of the first to name it: answers have more required fields.
    """
    for name, one in members(schema.get("$defs")).items():
        if name not in schemas:
            schemas[name] = _refer(one)
    return members(_refer(schema))


def _is_of(kind: JSON, value: JSON) -> bool:
    """Whether a value is of the type that a schema names, or of one of them."""
    kinds = kind if is_list(kind) else [kind]
    return not kind or any(isinstance(value, TYPES[one]) for one in kinds if isinstance(one, str))


def _refer(value: JSON) -> JSON:
    if is_list(value):
        return [_refer(item) for item in value]
    if not is_document(value):
        return value
    found = {key: _refer(item) for key, item in value.items() if key not in DIALECT_WORDS}
    if "default" in found and not _is_of(found.get("type"), found["default"]):
        del found["default"]  # the API's own document has some that are none, such as null
    reference = found.get("$ref")
    if isinstance(reference, str) and reference.startswith(DEFS):
        found["$ref"] = SCHEMAS + reference.removeprefix(DEFS)
    return found
