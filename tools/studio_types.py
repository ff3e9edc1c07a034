"""`make studio-types`: the types of the studio's API for its pages, written from the API's document."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from connector.model import JSON, is_object, items, members

__all__ = ["TYPES", "main", "render"]

TYPES = Path(__file__).parents[1] / "studio" / "src" / "lib" / "api" / "schema.ts"
HEAD = """\
/* Written by `make studio-types` from the document of the API; a test compares. */

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
"""
PLAIN = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}
REF = "#/components/schemas/"


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the types, or compares them."""
    parser = argparse.ArgumentParser(prog="make studio-types", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when they are not current")
    text = render()
    if parser.parse_args(arguments).check:
        current = TYPES.read_text(encoding="utf-8") == text
        print("current" if current else "studio/src/lib/api/schema.ts is not current: make studio-types")
        return 0 if current else 1
    TYPES.write_text(text, encoding="utf-8")
    return 0


def render() -> str:
    """Makes an interface or a type of every schema."""
    from connector.studio.app import describe_api

    document = members(describe_api())
    schemas = members(members(document.get("components")).get("schemas"))
    answers = set(_reached(schemas, _answers(document)))
    return HEAD + "".join(
        _declare(name, members(schema), whole=name in answers) for name, schema in sorted(schemas.items())
    )


def _answers(document: dict[str, JSON]) -> Iterator[JSON]:
    for path in members(document.get("paths")).values():
        for operation in members(path).values():
            if is_object(operation):
                yield members(operation).get("responses")


def _reached(schemas: dict[str, JSON], start: Iterator[JSON]) -> set[str]:
    """Finds the schemas that answers are made of: the server writes each of their fields, given or not."""
    found: set[str] = set()
    todo: list[JSON] = list(start)
    while todo:
        value = todo.pop()
        if isinstance(value, list):
            todo.extend(items(value))
        elif is_object(value):
            name = str(members(value).get("$ref", "")).removeprefix(REF)
            if name in schemas and name not in found:
                found.add(name)
                todo.append(schemas[name])
            todo.extend(members(value).values())
    return found


def _declare(name: str, schema: dict[str, JSON], *, whole: bool) -> str:
    about = _comment(schema.get("description"), "")
    if "properties" not in schema:
        return f"\n{about}export type {_plain(name)} = {_type(schema)};\n"
    required = set(items(schema.get("required")))
    fields = [
        f"{_comment(members(field).get('description'), '  ')}  {_key(key)}{'' if whole or key in required else '?'}: {_type(members(field))};\n"
        for key, field in members(schema["properties"]).items()
    ]
    return f"\n{about}export interface {_plain(name)} {{\n{''.join(fields)}}}\n"


def _comment(text: JSON, indent: str) -> str:
    return f"{indent}/** {' '.join(str(text).split()).replace('*/', '* /')} */\n" if text else ""


def _type(schema: dict[str, JSON]) -> str:
    if "$ref" in schema:
        return _plain(str(schema["$ref"]).removeprefix(REF))
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in items(schema["enum"]))
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return " | ".join(dict.fromkeys(_type(members(one)) for one in items(schema[word])))
    kind = schema.get("type")
    if kind == "array":
        inner = _type(members(schema.get("items")))
        return f"({inner})[]" if " " in inner else f"{inner}[]"
    if kind == "object":
        values = schema.get("additionalProperties")
        inner = _type(members(values)) if is_object(values) else "Json"
        named = members(schema.get("propertyNames"))
        return (
            f"Partial<Record<{_type(named)}, {inner}>>"
            if "$ref" in named or "enum" in named
            else f"Record<string, {inner}>"
        )
    return PLAIN.get(str(kind), "Json")


def _plain(name: str) -> str:
    return re.sub(r"\W|_", "", name)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_]\w*", name) else json.dumps(name)


if __name__ == "__main__":
    sys.exit(main())
