"""Texts of a command line, read as their schemas want them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from connector.documents import parse
from connector.errors import InvalidDocument
from connector.model import items, members
from connector.request.fields import resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connector.model import JSON

__all__ = ["coerce"]

INTEGER = re.compile(r"[+-]?\d{1,19}")
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")


def coerce(value: JSON, schema: JSON, root: JSON) -> JSON:
    """What a text means where the schema wants something else; what it cannot mean stays as it is."""
    branches = list(_branches(schema, root))
    if isinstance(value, list):
        part = _first(branches, "items")
        return [coerce(item, part, root) for item in items(value)]
    if isinstance(value, dict):
        return {name: coerce(child, _member(branches, name), root) for name, child in members(value).items()}
    kinds = {kind for branch in branches for kind in _kinds(branch)}
    if not isinstance(value, str) or "string" in kinds:
        return value
    if value[:1] in ("[", "{") and kinds & {"array", "object"}:
        return _parsed(value)
    if "array" in kinds:
        return [coerce(value, _first(branches, "items"), root)]
    return _scalar(value, kinds)


def _parsed(text: str) -> JSON:
    try:
        return parse(text)
    except InvalidDocument:
        return text


def _scalar(text: str, kinds: set[str]) -> JSON:
    if "boolean" in kinds and text in ("true", "false"):
        return text == "true"
    if kinds & {"integer", "number"} and INTEGER.fullmatch(text):
        return int(text)
    if "number" in kinds and NUMBER.fullmatch(text):
        return float(text)
    return None if text == "null" and "null" in kinds else text


def _branches(schema: JSON, root: JSON, depth: int = 0) -> Iterator[dict[str, JSON]]:
    """The schema and every alternative it holds, references followed."""
    found = members(resolve(schema, root))
    yield found
    for keyword in ("anyOf", "oneOf", "allOf"):
        for branch in items(found.get(keyword)) if depth < 8 else ():
            yield from _branches(branch, root, depth + 1)


def _kinds(schema: dict[str, JSON]) -> list[str]:
    declared = schema.get("type")
    if declared is None and "enum" in schema:
        return ["string" if isinstance(value, str) else "integer" for value in items(schema["enum"])]
    return [declared] if isinstance(declared, str) else items(declared)


def _first(branches: list[dict[str, JSON]], keyword: str) -> JSON:
    return next((branch[keyword] for branch in branches if keyword in branch), None)


def _member(branches: list[dict[str, JSON]], name: str) -> JSON:
    declared = members(_first(branches, "properties"))
    return declared.get(name, _first(branches, "additionalProperties"))
