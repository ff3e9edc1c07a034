"""Loosening a document where it is stricter, or knows less, than what is known to work.

An entry names a place by JSON pointer (`at`) and says one thing of it: `properties`, `enum`, `anyOf`, `parameters`,
`requestBody` add; `optional`, `nullable`, `open` relax; `oneOfFields` asks for one of several lists of fields. A place
that the document no longer has is noted, not refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from connector.errors import ConfigurationError
from connector.model import JSON, is_document, is_list
from connector.shapes import items

__all__ = ["apply_patch"]

Place = tuple[Any, Any]
"""A container and the key or index in it."""


def apply_patch(document: dict[str, Any], patch: Mapping[str, JSON], where: str) -> bool:
    """Applies one entry to the document; whether the place it names was there."""
    kinds = [kind for kind in CHANGES if kind in patch]
    if len(kinds) != 1 or not isinstance(patch.get("at"), str):
        raise ConfigurationError(f"{where}: {patch.get('at')}: an entry has `at` and one of {', '.join(CHANGES)}")
    place = _place(document, patch["at"])
    if place is None:
        return False
    container, key = place
    container[key] = CHANGES[kinds[0]](container[key], patch[kinds[0]])
    return True


def _place(document: dict[str, Any], pointer: str) -> Place | None:
    steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.lstrip("/").split("/")]
    container: Any = {"": document}
    key: Any = ""
    for step in steps:
        container = container[key]
        key = int(step) if is_list(container) and step.isdigit() else step
        if key not in (container if is_document(container) else range(len(items(container)))):
            return None
    return container, key


def _properties(schema: dict[str, Any], added: Mapping[str, JSON]) -> dict[str, Any]:
    return {**schema, "properties": {**added, **schema.get("properties", {})}}


def _enum(schema: dict[str, Any], added: list[JSON]) -> dict[str, Any]:
    known = schema.get("enum", [schema["const"]] if "const" in schema else [])
    rest = {key: value for key, value in schema.items() if key != "const"}
    return {**rest, "enum": [*known, *(value for value in added if value not in known)]}


def _any_of(schema: dict[str, Any], added: list[JSON]) -> dict[str, Any]:
    for union in ("anyOf", "oneOf"):
        if union in schema and "allOf" not in schema:
            return {**schema, union: [*schema[union], *added]}
    return {"anyOf": [schema, *added]}


def _parameters(operation: dict[str, Any], added: list[JSON]) -> dict[str, Any]:
    known = {(parameter.get("in"), parameter.get("name")) for parameter in operation.get("parameters", [])}
    new = [parameter for parameter in added if (parameter["in"], parameter["name"]) not in known]
    return {**operation, "parameters": [*operation.get("parameters", []), *new]}


def _request_body(operation: dict[str, Any], added: Mapping[str, Any]) -> dict[str, Any]:
    known = operation.get("requestBody", {})
    return {**operation, "requestBody": {**added, **known, "content": {**added["content"], **known.get("content", {})}}}


def _optional(target: dict[str, Any], names: list[str]) -> dict[str, Any]:
    if "parameters" in target:
        loosened = [{**one, "required": False} if one.get("name") in names else one for one in target["parameters"]]
        return {**target, "parameters": loosened}
    return {**target, "required": [name for name in target.get("required", []) if name not in names]}


def _nullable(schema: dict[str, Any], _: JSON) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def _open(schema: dict[str, Any], _: JSON) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key not in ("enum", "const")} | {"type": "string"}


def _one_of_fields(schema: dict[str, Any], alternatives: list[list[str]]) -> dict[str, Any]:
    needed = {name for names in alternatives for name in names}
    required = [name for name in schema.get("required", []) if name not in needed]
    return {**schema, "required": required, "anyOf": [{"required": names} for names in alternatives]}


CHANGES: Mapping[str, Callable[[dict[str, Any], Any], dict[str, Any]]] = {
    "properties": _properties, "enum": _enum, "anyOf": _any_of, "parameters": _parameters,
    "requestBody": _request_body, "optional": _optional, "nullable": _nullable, "open": _open,
    "oneOfFields": _one_of_fields,
}  # fmt: skip
