"""The reference page of transformers: steps, accessors, conditions, mappers and ready-made chains."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from connector.transform import registry
from connector.transform.declaration import Declaration, Field
from connector.transform.library import ready_made
from tools.markdown import table


def transformers() -> str:
    kinds = registry()
    parts = ["# Transformers", "See [the guide](../guides/transformers.md). A field marked `*` must be given."]
    for title, known in (
        ("Steps", kinds.steps),
        ("Accessors", kinds.accessors),
        ("Conditions", kinds.conditions),
        ("Mappers", kinds.mappers),
    ):
        parts.append(f"## {title}")
        for declaration in sorted(known, key=lambda declaration: declaration.name):
            parts += one(declaration)
    return "\n\n".join(parts)


def one(declaration: Declaration) -> list[str]:
    also = f" (also {', '.join(f'`{alias}`' for alias in declaration.aliases)})" if declaration.aliases else ""
    parts = [f"### `{declaration.name}`", f"{declaration.summary}{also}"]
    rows = [
        (f"`{name}`" + ("\\*" if field.required else ""), field.kind, meaning(field))
        for name, field in declaration.fields.items()
    ]
    return [*parts, table(("field", "value", "what it is"), rows)] if rows else parts


def meaning(field: Field) -> str:
    shown = (
        "" if field.default in (None, "", [], {}) else f" Default `{json.dumps(field.default, ensure_ascii=False)}`."
    )
    return f"{field.summary}{shown}"


def chains() -> str:
    parts = [
        "# Ready-made chains",
        "A chain is named in a list of steps, with or without its parameters; see [the guide](../guides/chains.md).",
    ]
    for name, chain in ready_made().items():
        parts += [f"## `{name}`", chain["summary"]]
        rows = [parameter(name, declared) for name, declared in chain.get("parameters", {}).items()]
        parts += [table(("parameter", "type", "default", "what it is"), rows)] if rows else []
    return "\n\n".join(parts)


def parameter(name: str, declared: Mapping[str, Any]) -> tuple[str, str, str, str]:
    types = declared.get("type", "any")
    said = types if isinstance(types, str) else " or ".join(types)
    default = f"`{json.dumps(declared['default'], ensure_ascii=False)}`" if "default" in declared else "required"
    return f"`{name}`", said, default, declared.get("description", "")
