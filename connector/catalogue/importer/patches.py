"""Patches of a document where it is stricter, or knows less, than what is known to work.

An entry names a place by JSON pointer (`at`) and says one thing of it: `properties`, `enum`, `anyOf`, `parameters`,
`requestBody` add; `optional`, `nullable`, `open` relax; `oneOfFields` asks for one of several lists of fields. A place
that the document no longer has is noted, not refused.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from connector.catalogue.importer.overlays import Overlay, Overlays
from connector.errors import ConfigurationError
from connector.model import JSON, is_document, is_list, items, members

__all__ = ["apply_overlays", "apply_patch"]

Place = tuple[Any, Any]
"""A container and a key or index in it."""


def apply_patch(document: dict[str, Any], patch: Mapping[str, JSON], where: str) -> bool:
    """Apply one patch to the document; return whether its place was found."""
    kinds = [kind for kind in CHANGES if kind in patch]
    if len(kinds) != 1 or not isinstance(patch.get("at"), str):
        raise ConfigurationError(f"{where}: {patch.get('at')}: an entry has `at` and one of {', '.join(CHANGES)}")
    place = _find_place(document, patch["at"])
    if place is None:
        return False
    container, key = place
    container[key] = CHANGES[kinds[0]](container[key], patch[kinds[0]])
    return True


def _find_place(document: dict[str, Any], pointer: str) -> Place | None:
    steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.lstrip("/").split("/")]
    container: Any = {"": document}
    key: Any = ""
    for step in steps:
        container = container[key]
        key = int(step) if is_list(container) and step.isdigit() else step
        if key not in (container if is_document(container) else range(len(items(container)))):
            return None
    return container, key


def _add_properties(schema: dict[str, Any], added: Mapping[str, JSON]) -> dict[str, Any]:
    return {**schema, "properties": {**added, **schema.get("properties", {})}}


def _add_enum_values(schema: dict[str, Any], added: list[JSON]) -> dict[str, Any]:
    known = schema.get("enum", [schema["const"]] if "const" in schema else [])
    rest = {key: value for key, value in schema.items() if key != "const"}
    return {**rest, "enum": [*known, *(value for value in added if value not in known)]}


def _add_branches(schema: dict[str, Any], added: list[JSON]) -> dict[str, Any]:
    for union in ("anyOf", "oneOf"):
        if union in schema and "allOf" not in schema:
            return {**schema, union: [*schema[union], *added]}
    return {"anyOf": [schema, *added]}


def _add_parameters(operation: dict[str, Any], added: list[JSON]) -> dict[str, Any]:
    known = {(parameter.get("in"), parameter.get("name")) for parameter in operation.get("parameters", [])}
    new = [parameter for parameter in added if (parameter["in"], parameter["name"]) not in known]
    return {**operation, "parameters": [*operation.get("parameters", []), *new]}


def _add_request_body(operation: dict[str, Any], added: Mapping[str, Any]) -> dict[str, Any]:
    known = operation.get("requestBody", {})
    return {**operation, "requestBody": {**added, **known, "content": {**added["content"], **known.get("content", {})}}}


def _make_optional(target: dict[str, Any], names: list[str]) -> dict[str, Any]:
    if "parameters" in target:
        loosened = [{**one, "required": False} if one.get("name") in names else one for one in target["parameters"]]
        return {**target, "parameters": loosened}
    return {**target, "required": [name for name in target.get("required", []) if name not in names]}


def _make_nullable(schema: dict[str, Any], _: JSON) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def _open_values(schema: dict[str, Any], _: JSON) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key not in ("enum", "const")} | {"type": "string"}


def _require_one_of(schema: dict[str, Any], alternatives: list[list[str]]) -> dict[str, Any]:
    needed = {name for names in alternatives for name in names}
    required = [name for name in schema.get("required", []) if name not in needed]
    return {**schema, "required": required, "anyOf": [{"required": names} for names in alternatives]}


CHANGES: Mapping[str, Callable[[dict[str, Any], Any], dict[str, Any]]] = {
    "properties": _add_properties, "enum": _add_enum_values, "anyOf": _add_branches, "parameters": _add_parameters,
    "requestBody": _add_request_body, "optional": _make_optional, "nullable": _make_nullable, "open": _open_values,
    "oneOfFields": _require_one_of,
}  # fmt: skip


def apply_overlays(document: Mapping[str, JSON], overlays: Overlays) -> tuple[dict[str, JSON], list[str]]:
    """Apply the overlays to a copy of the document; return it with notices of what found no place."""
    filled: dict[str, Any] = copy.deepcopy(dict(document))
    filled.setdefault("paths", {})
    notices: list[str] = []
    for section in ("x-additions", "x-relaxed"):
        for overlay in overlays.files:
            notices += _apply_section(filled, overlay, section)
    for overlay in overlays.files:
        for path, item in members(overlay.content.get("paths")).items():
            for method, operation in item.items():
                if path in members(document.get("paths")) and method in document["paths"][path]:
                    notices += [] if overlay.is_generated else [_tell_known(overlay, path, method)]
                notices += _add_operation(filled["paths"], path, method, operation, overlay.file)
        schemas = filled.setdefault("components", {}).setdefault("schemas", {})
        for name, schema in members(members(overlay.content.get("components")).get("schemas")).items():
            schemas.setdefault(name, schema)
    return filled, notices


def _tell_known(overlay: Overlay, path: str, method: str) -> str:
    there = "is in the document by now; what it says there counts"
    return f"overlays/{overlay.file}: paths: {method.upper()} {path} {there}"


def _apply_section(document: dict[str, Any], overlay: Overlay, section: str) -> list[str]:
    where = f"overlays/{overlay.file}: {section}"
    notices: list[str] = []
    for patch in items(overlay.content.get(section)):
        known = [] if overlay.is_generated else list(_find_conflicts(document, patch))
        if not apply_patch(document, patch, where):
            notices.append(f"{where}: {patch['at']} is not in the document")
        notices += [f"{where}: {patch['at']}: {name} {CONFLICT}" for name in known]
    return notices


CONFLICT = (
    "is in the document by now, and says otherwise there; the document's counts: take it out, or give it another name"
)


def _find_conflicts(document: dict[str, Any], patch: Mapping[str, JSON]) -> Iterator[str]:
    """Yield the fields and parameters that a patch adds and the document says otherwise."""
    place = _find_place(document, str(patch.get("at")))
    target = members(place[0][place[1]]) if place is not None else {}
    there = members(target.get("properties"))
    for name, schema in members(patch.get("properties")).items():
        if name in there and there[name] != schema:
            yield repr(name)
    parameters = {(each.get("in"), each.get("name")): each for each in items(target.get("parameters"))}
    for parameter in items(patch.get("parameters")):
        known = parameters.get((parameter.get("in"), parameter.get("name")))
        if known is not None and known.get("schema") != parameter.get("schema"):
            yield repr(parameter["name"])


def _add_operation(
    paths: dict[str, Any], path: str, method: str, operation: Mapping[str, JSON], file: str
) -> list[str]:
    """Add one operation; what the document already says of it stays, and what it replaces moves here."""
    known = paths.get(path, {}).get(method)
    replaced = operation.get("x-replaces")
    notices: list[str] = []
    if replaced and known is None:
        method_there, _, path_there = replaced.partition(" ")
        known = paths.get(path_there, {}).pop(method_there.lower(), None)
        if known is None:
            notices = [f"overlays/{file}: x-replaces: {replaced} is not in the document"]
    aliases = {"x-aliases": [replaced]} if replaced else {}
    paths.setdefault(path, {})[method] = {**operation, **members(known), **aliases}
    return notices
