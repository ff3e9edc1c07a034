"""A schema taken one way: references followed, parts of allOf joined, a branch of each union chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from connector.model import JSON, is_document, is_list

__all__ = ["Facts", "flattened"]

Facts = dict[str, Any]
Choose = Callable[[Sequence[JSON]], JSON]
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
    for keyword in ("$ref", "$dynamicRef", "$recursiveRef"):
        if isinstance(schema.get(keyword), str):
            parts.append(_resolved(schema[keyword], root))
    for keyword in ("anyOf", "oneOf"):
        if schema.get(keyword):
            parts.append(choose(schema[keyword]))
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
    known = facts.get(keyword)
    if keyword not in facts:
        facts[keyword] = value
    elif keyword in ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"):
        facts[keyword] = max(known, value)
    elif keyword in ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"):
        facts[keyword] = min(known, value)
    elif keyword in ("properties", "patternProperties"):
        facts[keyword] = _both(known, value)
    elif keyword == "required":
        facts[keyword] = [*known, *value]
    elif keyword == "enum":
        facts[keyword] = [one for one in known if one in value]
    elif keyword == "type":
        facts[keyword] = _types(known, value)
    elif keyword in ("items", "additionalProperties", "propertyNames", "contains"):
        facts[keyword] = {"allOf": [known, value]}
    elif keyword == "const" and known != value:
        facts["never"] = True


def _both(known: Mapping[str, JSON], more: Mapping[str, JSON]) -> Facts:
    joined = {name: {"allOf": [known[name], schema]} if name in known else schema for name, schema in more.items()}
    return {**known, **joined}


def _types(known: JSON, more: JSON) -> list[str]:
    these, those = ([one] if isinstance(one, str) else list(one) for one in (known, more))
    both = [one for one in these if one in those]
    return [*both, *(["integer"] if "integer" in (*these, *those) and "number" in (*these, *those) else [])]
