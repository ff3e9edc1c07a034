"""The schemas of chains: steps, conditions, mappers and accessors, each in full and in short."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from connector.config.names import ready_made_chain, ready_made_names
from connector.config.schema.models import TEMPLATE, closed_object, or_reference
from connector.model import JSON, is_object, members
from connector.transform.declaration import Declaration, Field
from connector.transform.registry import registry

__all__ = ["chain_definitions"]

Suggested = Callable[[str, dict[str, JSON]], dict[str, JSON]]
NOTHING: list[JSON] = [{"type": "null"}, {"type": "array", "maxItems": 0}]
"""Ways to write no parameters; other platforms export empty objects as empty lists."""


def chain_definitions(suggested: Suggested) -> dict[str, dict[str, JSON]]:
    """Return the definitions of `steps`, `conditions`, `mappers`, `accessor`, and of the parameters of each kind."""
    kinds = registry()
    found: dict[str, dict[str, JSON]] = {}
    for noun, declared in (
        ("step", kinds.steps), ("condition", kinds.conditions), ("mapper", kinds.mappers), ("accessor", kinds.accessors)
    ):  # fmt: skip
        declarations = list(declared)
        found |= {f"{noun} {one.name}": _parameters(one, suggested) for one in declarations}
        more = [name for name in ready_made_names() if name not in kinds.steps] if noun == "step" else []
        found |= {f"step {name}": _ready_made(ready_made_chain(name), suggested) for name in more}
        found[noun] = _one(noun, declarations, more)
    for many, noun in (("steps", "step"), ("conditions", "condition"), ("mappers", "mapper")):
        one: JSON = {"$ref": f"#/$defs/{noun}"}
        found[many] = {"if": {"type": "array"}, "then": {"items": one}, "else": one}
    return found


def _ready_made(chain: JSON, suggested: Suggested) -> dict[str, JSON]:
    """Return the schema of the parameters of a chain that ships with the connector.

    Others are let through: a chain of the configuration may have its name.
    """
    properties: dict[str, JSON] = {}
    for name, parameter in members(members(chain).get("parameters")).items():
        given: dict[str, JSON] = {
            key: value for key, value in members(parameter).items() if key in ("type", "description", "default")
        }
        said: dict[str, JSON] = {key: given.pop(key) for key in ("description", "default") if key in given}
        if given.get("type") == "any":
            del given["type"]
        properties[name] = suggested(name, {**or_reference(given, TEMPLATE), **said})
    summary = members(chain).get("summary", "")
    return {"anyOf": [{"type": "object", "description": summary, "properties": properties}, *NOTHING]}


def _one(noun: str, declarations: Sequence[Declaration], more: Collection[str]) -> dict[str, JSON]:
    """Return the schema of `{prototype, parameters}`, `{name: parameters}` or a name alone."""
    bare = [one.name for one in declarations if not any(field.required for field in one.fields.values())]
    text = {"type": "string", "examples": sorted([*more, *bare])}
    return {
        "if": {"type": "object"},
        "then": {
            "if": {"required": ["prototype"]},
            "then": _long(noun, declarations),
            "else": _short(noun, declarations, more, closed_to_others=noun != "step"),
        },
        "else": text,
    }


def _long(noun: str, declarations: Sequence[Declaration]) -> dict[str, JSON]:
    branches: list[JSON] = []
    for one in declarations:
        names = [one.name, *one.aliases]
        then: dict[str, JSON] = {"properties": {"parameters": {"$ref": f"#/$defs/{noun} {one.name}"}}}
        if any(field.required for field in one.fields.values()):
            then["required"] = ["parameters"]
        branches.append({"if": {"properties": {"prototype": {"enum": names}}, "required": ["prototype"]}, "then": then})
    prototype = {"type": "string", "examples": [one.name for one in declarations]}
    return {
        "properties": {"prototype": prototype, "parameters": {}, "meta": {}},
        "additionalProperties": False,
        "allOf": branches,
    }


def _short(
    noun: str, declarations: Sequence[Declaration], more: Collection[str], *, closed_to_others: bool
) -> dict[str, JSON]:
    properties: dict[str, JSON] = {
        name: {"$ref": f"#/$defs/{noun} {one.name}", "description": one.summary}
        for one in declarations
        for name in (one.name, *one.aliases)
    }
    properties |= {name: {"$ref": f"#/$defs/{noun} {name}"} for name in more}
    # A saved chain is a step too, under a name that the configuration gives.
    others: JSON = False if closed_to_others else {"type": ["object", "null", "array"]}
    return {
        "properties": {**properties, "meta": {}},
        "additionalProperties": others,
        "minProperties": 1,
        "maxProperties": 2,
    }


def _parameters(declared: Declaration, suggested: Suggested) -> dict[str, JSON]:
    fields = declared.fields
    properties = {name: suggested(name, _field(field)) for name, field in fields.items()}
    required = [name for name, field in fields.items() if field.required]
    spellings = {name: field.aliases for name, field in fields.items()}
    whole = {"description": declared.summary, **closed_object(properties, required, spellings)}
    if declared.sole:
        return {"if": {"type": "object"}, "then": whole}
    return whole if required else {"anyOf": [whole, *NOTHING]}


def _field(field: Field) -> dict[str, JSON]:
    schema: Mapping[str, JSON] = field.schema
    items = schema.get("items")
    if schema.get("type") == "array" and is_object(items):
        # One item means a list of one, and an object of names and values a list of pairs. The spellings of
        # an item's members are not part of the schema: lint checks those.
        open_items = {key: value for key, value in items.items() if key not in ("additionalProperties", "required")}
        one: JSON = {"if": {"type": "object"}, "then": open_items} if "properties" in items else items
        schema = {"if": {"type": "array"}, "then": {"items": one}}
    return {**schema, "description": field.summary}
