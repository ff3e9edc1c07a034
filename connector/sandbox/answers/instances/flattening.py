"""A schema taken one way: references followed, parts of allOf joined, a branch of each union chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from connector.model import JSON, is_document, is_list

__all__ = ["Facts", "flattened"]

Facts = dict[str, Any]
Choose = Callable[[Sequence[JSON]], JSON]
REFERENCES, UNIONS = ("$ref", "$dynamicRef", "$recursiveRef"), ("anyOf", "oneOf")
MOST = 300
"""As many parts as one place may be made of; a schema that refers to itself without end has more."""


def flattened(schema: JSON, root: JSON, choose: Choose) -> Facts:
    """What a value has to keep to, on the way that was chosen; nothing can keep to `never`."""
    facts: Facts = {}
    waiting = [schema]
    for _ in range(MOST):
        if not waiting:
            return facts
        part = waiting.pop(0)
        if part is False:
            facts["never"] = True
        if is_document(part):
            waiting = [*_parts(part, root, choose), *waiting]
            for keyword, value in part.items():
                _join(facts, keyword, value)
    return facts | {"never": True}


def _parts(schema: Mapping[str, JSON], root: JSON, choose: Choose) -> list[JSON]:
    parts: list[JSON] = [*schema.get("allOf", [])]
    parts += [_resolved(schema[keyword], root) for keyword in REFERENCES if isinstance(schema.get(keyword), str)]
    parts += [choose(schema[keyword]) for keyword in UNIONS if schema.get(keyword)]
    if "if" in schema:
        met: list[JSON] = [schema["if"], schema.get("then", True)]
        parts.append(choose([{"allOf": met}, schema.get("else", True)]))
    return parts


def _resolved(reference: str, root: JSON) -> JSON:
    """The part of the schema that a reference names; what is not there can be met by nothing."""
    found: JSON = root
    anchor = reference.removeprefix("#")
    if anchor and not anchor.startswith("/"):
        return _anchored(anchor, root)
    for step in anchor.split("/")[1:]:
        name = unquote(step).replace("~1", "/").replace("~0", "~")
        if is_list(found) and name.isdigit() and int(name) < len(found):
            found = found[int(name)]
        else:
            found = found.get(name, False) if is_document(found) else False
    return found


def _anchored(anchor: str, root: JSON) -> JSON:
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


def _join(facts: Facts, keyword: str, value: JSON) -> None:
    """Adds one more demand to those there are."""
    if keyword not in facts:
        facts[keyword] = value
    elif keyword == "const" and facts[keyword] != value:
        facts["never"] = True
    elif keyword in JOINS:
        facts[keyword] = JOINS[keyword](facts[keyword], value)


def _both(known: JSON, more: JSON) -> JSON:
    return {"allOf": [known, more]}


def _members(known: Mapping[str, JSON], more: Mapping[str, JSON]) -> Facts:
    return {**known, **{name: _both(known[name], part) if name in known else part for name, part in more.items()}}


def _choices(known: Sequence[JSON], more: Sequence[JSON]) -> Sequence[JSON]:
    return [one for one in known if one in more]


def _types(known: JSON, more: JSON) -> list[str]:
    """The types that both sides allow; a whole number is a number."""
    these, those = ([one] if isinstance(one, str) else list(one) for one in (known, more))
    both = [one for one in these if one in those]
    return [*both, *(["integer"] if "integer" in (*these, *those) and "number" in (*these, *those) else [])]


JOINS: Mapping[str, Callable[[Any, Any], JSON]] = {
    **dict.fromkeys(("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"), max),
    **dict.fromkeys(("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"), min),
    **dict.fromkeys(("properties", "patternProperties"), _members),
    **dict.fromkeys(("items", "additionalProperties", "propertyNames", "contains"), _both),
    "required": lambda known, more: [*known, *more],
    "enum": _choices,
    "type": _types,
}
"""What two demands of one keyword come to together; of others the first is heeded."""
