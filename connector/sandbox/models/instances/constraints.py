"""The constraints of a schema: references followed, allOf merged, one branch of each union chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from connector.model import JSON, is_document, is_list

__all__ = ["Constraints", "collect_constraints"]

Constraints = dict[str, Any]
Choose = Callable[[Sequence[JSON]], JSON]
REFERENCES, UNIONS = ("$ref", "$dynamicRef", "$recursiveRef"), ("anyOf", "oneOf")
MOST_PARTS = 300
"""The limit of parts in one place, which an endless reference exceeds."""


def collect_constraints(schema: JSON, root: JSON, choose: Choose) -> Constraints:
    """Return the constraints of a schema on one path through it; `never` cannot be satisfied."""
    constraints: Constraints = {}
    waiting = [schema]
    for _ in range(MOST_PARTS):
        if not waiting:
            return constraints
        part = waiting.pop(0)
        if part is False:
            constraints["never"] = True
        if is_document(part):
            waiting = [*_parts(part, root, choose), *waiting]
            for keyword, value in part.items():
                _merge(constraints, keyword, value)
    return constraints | {"never": True}


def _parts(schema: Mapping[str, JSON], root: JSON, choose: Choose) -> list[JSON]:
    parts: list[JSON] = [*schema.get("allOf", [])]
    parts += [
        _resolve_reference(schema[keyword], root) for keyword in REFERENCES if isinstance(schema.get(keyword), str)
    ]
    parts += [choose(schema[keyword]) for keyword in UNIONS if schema.get(keyword)]
    if "if" in schema:
        met: list[JSON] = [schema["if"], schema.get("then", True)]
        parts.append(choose([{"allOf": met}, schema.get("else", True)]))
    return parts


def _resolve_reference(reference: str, root: JSON) -> JSON:
    """Return the part of the schema that a reference names, or False where there is none."""
    found: JSON = root
    anchor = reference.removeprefix("#")
    if anchor and not anchor.startswith("/"):
        return _find_anchor(anchor, root)
    for step in anchor.split("/")[1:]:
        name = unquote(step).replace("~1", "/").replace("~0", "~")
        if is_list(found) and name.isdigit() and int(name) < len(found):
            found = found[int(name)]
        else:
            found = found.get(name, False) if is_document(found) else False
    return found


def _find_anchor(anchor: str, root: JSON) -> JSON:
    waiting: list[JSON] = [root]
    while waiting:
        part = waiting.pop()
        if is_document(part):
            if anchor in (part.get("$anchor"), part.get("$dynamicAnchor"), part.get("$id")):
                return part
            waiting += part.values()
        elif is_list(part):
            waiting += part
    return False


def _merge(constraints: Constraints, keyword: str, value: JSON) -> None:
    """Add one keyword to the constraints."""
    if keyword not in constraints:
        constraints[keyword] = value
    elif keyword == "const" and constraints[keyword] != value:
        constraints["never"] = True
    elif keyword in MERGERS:
        constraints[keyword] = MERGERS[keyword](constraints[keyword], value)


def _merge_schemas(known: JSON, more: JSON) -> JSON:
    return {"allOf": [known, more]}


def _merge_properties(known: Mapping[str, JSON], more: Mapping[str, JSON]) -> Constraints:
    return {
        **known,
        **{name: _merge_schemas(known[name], part) if name in known else part for name, part in more.items()},
    }


def _merge_enums(known: Sequence[JSON], more: Sequence[JSON]) -> Sequence[JSON]:
    return [one for one in known if one in more]


def _merge_types(known: JSON, more: JSON) -> list[str]:
    """Return the types that both sides allow; an integer is a number."""
    these, those = ([one] if isinstance(one, str) else list(one) for one in (known, more))
    both = [one for one in these if one in those]
    return [*both, *(["integer"] if "integer" in (*these, *those) and "number" in (*these, *those) else [])]


MERGERS: Mapping[str, Callable[[Any, Any], JSON]] = {
    **dict.fromkeys(("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"), max),
    **dict.fromkeys(("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"), min),
    **dict.fromkeys(("properties", "patternProperties"), _merge_properties),
    **dict.fromkeys(("items", "additionalProperties", "propertyNames", "contains"), _merge_schemas),
    "required": lambda known, more: [*known, *more],
    "enum": _merge_enums,
    "type": _merge_types,
}
"""How two values of one keyword are merged; of other keywords the first value counts."""
