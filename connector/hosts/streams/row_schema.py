"""The schema of a stream's rows: what the catalogue says of them, as wide as what the API may say tomorrow.

An API adds fields and values without asking, and a schema is kept by its host for months. So no choice of values is
promised, every field may be null, and there may be more fields; the types are what stays.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from connector.catalogue import Catalogue
from connector.catalogue.operation import Operation
from connector.hosts.schemas import shorten
from connector.model import JSON, is_document, is_list, items, members

__all__ = ["item_schema", "plain_schema", "result_schema", "row_schema", "types_of"]

MOST_BYTES = 60_000
"""A schema that is larger has its deepest parts left out."""
EVERY_TYPE = ("string", "number", "boolean", "object", "array")


def item_schema(catalogue: Catalogue, operation: Operation) -> dict[str, JSON]:
    """Return the self-contained schema of one entity of a list; empty for what is no list of objects."""
    answer = catalogue.answer_schema(operation)
    if answer is None:
        return {}
    found = members(members(_resolve(answer, answer).get("properties")).get("data")).get("items")
    return {"$defs": answer.get("$defs", {}), **members(found)}


def result_schema(operation: Operation, bucket: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return the schema of the results of a report's time span: of all kinds of report, the operation's own."""
    results = members(members(_resolve(bucket, bucket).get("properties")).get("results"))
    found = members(results.get("items"))
    kinds = [members(one) for one in items(found.get("anyOf"))]
    last = re.sub(r"[^a-z]", "", operation.template.rpartition("/")[2])
    own = [kind for kind in kinds if _name_of(kind).lower() in (f"usage{last}result", f"{last}result")]
    return {"$defs": bucket.get("$defs", {}), **(own[0] if own else found)}


def plain_schema(schema: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return a self-contained schema of what the API lists without references, its alternatives joined."""
    return shorten(schema, MOST_BYTES)


def row_schema(plain: Mapping[str, JSON], needed: Sequence[str]) -> dict[str, JSON]:
    """Return the schema of a stream's rows.

    Args:
        plain: of what the API lists.
        needed: the fields that every row has.
    """
    properties = members(plain.get("properties"))
    shown = {name: _widen(one, is_needed=name in needed) for name, one in properties.items()}
    missing: dict[str, JSON] = {name: {"type": "string"} for name in needed if name not in shown}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {**missing, **shown},
        "additionalProperties": True,
    }


def types_of(schema: JSON) -> list[str]:
    """Return the types that a value may have."""
    declared = members(schema).get("type")
    return [declared] if isinstance(declared, str) else [str(one) for one in items(declared)]


def _widen(schema: JSON, *, is_needed: bool = False) -> dict[str, JSON]:
    """Return a schema that says which types a value may have, and what is in objects and lists."""
    given = members(schema)
    branches = [members(one) for one in items(given.get("anyOf"))] or [given]
    types = list(dict.fromkeys(name for branch in branches for name in types_of(branch) or EVERY_TYPE))
    if "number" in types and "integer" in types:
        types.remove("integer")
    shown: dict[str, JSON] = {"type": types[0] if is_needed and len(types) == 1 else ["null", *types]}
    for branch in branches:
        inner = branch.get("properties")
        if is_document(inner):
            shown["properties"] = {name: _widen(one) for name, one in inner.items()}
        if "items" in branch:
            shown["items"] = _widen(branch["items"])
    if "array" in types and "items" not in shown:
        shown["items"] = {"type": ["null", *EVERY_TYPE[:4]]}
    if "object" in types:
        shown["additionalProperties"] = True
    said = given.get("description")
    return {**shown, "description": said} if isinstance(said, str) else shown


def _resolve(schema: Mapping[str, JSON], root: Mapping[str, JSON]) -> Mapping[str, JSON]:
    """Return what a schema refers to, through parts that each say something of it."""
    reference = schema.get("$ref")
    if isinstance(reference, str):
        return _resolve(members(members(root.get("$defs")).get(reference.rpartition("/")[2])), root)
    parts = schema.get("allOf")
    if not is_list(parts):
        return schema
    resolved = [_resolve(members(part), root) for part in parts]
    joined: dict[str, JSON] = {}
    for part in (*resolved, schema):
        joined |= members(part.get("properties"))
    return {"properties": joined}


def _name_of(schema: Mapping[str, JSON]) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]
