"""How things may be spelt: in snake_case and camelCase, and by a variable where another type is wanted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic.alias_generators import to_camel

from connector.model import JSON

__all__ = ["REFERENCE", "TEMPLATE", "TEXT", "camel", "closed", "or_reference"]

TEXT: dict[str, JSON] = {"type": "string"}
REFERENCE: dict[str, JSON] = {"type": "string", "pattern": r"\$\{"}
TEMPLATE: dict[str, JSON] = {"type": "string", "pattern": r"[$&?@]\{"}
UNSUGGESTED: dict[str, JSON] = {"doNotSuggest": True}
"""For editors: accepted, but not what they should propose."""


def or_reference(schema: dict[str, JSON], opening: dict[str, JSON] = REFERENCE) -> dict[str, JSON]:
    """A schema that also takes a variable."""
    return {"anyOf": [schema, opening]}


def camel(name: str) -> str:
    """The other spelling of a name; the name itself when there is none."""
    return to_camel(name) if "_" in name else name


def closed(
    properties: Mapping[str, JSON], required: Iterable[str] = (), spellings: Mapping[str, Iterable[str]] | None = None
) -> dict[str, JSON]:
    """An object of these members and no others, each under any of its spellings."""
    also: dict[str, JSON] = {}
    needed: list[str] = []
    either: list[JSON] = []
    for name in properties:
        others = [one for one in (camel(name), *(spellings or {}).get(name, ())) if one not in properties]
        also |= {other: {**properties[name], **UNSUGGESTED} for other in others}
        if name in required and others:
            either.append({"anyOf": [{"required": [one]} for one in (name, *dict.fromkeys(others))]})
        elif name in required:
            needed.append(name)
    schema: dict[str, JSON] = {"type": "object", "properties": {**properties, **also}, "additionalProperties": False}
    return schema | ({"required": needed} if needed else {}) | ({"allOf": either} if either else {})
