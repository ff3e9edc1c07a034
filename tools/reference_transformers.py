"""The reference page of transformers: steps, accessors, conditions, mappers and ready-made chains."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from connector.transform.library import ready_made
from connector.transform.registry import Description, FieldRow, Noun, describe, names
from tools.markdown import table

KINDS: Mapping[str, Noun] = {
    "Steps": "step", "Accessors": "accessor", "Conditions": "condition", "Mappers": "mapper",
}  # fmt: skip


def transformers() -> str:
    parts = ["# Transformers", "See [the guide](../guides/transformers.md). A field marked `*` must be given."]
    for title, kind in KINDS.items():
        parts.append(f"## {title}")
        for name in sorted(names(kind)):
            parts += one(describe(kind, name))
    return "\n\n".join(parts)


def one(declared: Description) -> list[str]:
    also = f" (also {', '.join(f'`{alias}`' for alias in declared.aliases)})" if declared.aliases else ""
    parts = [f"### `{declared.name}`", f"{declared.summary}{also}"]
    rows = [(f"`{row.name}`" + ("\\*" if row.required else ""), row.kind, meaning(row)) for row in declared.fields]
    return [*parts, table(("field", "value", "what it is"), rows)] if rows else parts


def meaning(row: FieldRow) -> str:
    shown = "" if row.default in (None, "", [], {}) else f" Default `{json.dumps(row.default, ensure_ascii=False)}`."
    return f"{row.summary}{shown}"


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
    if "role" in declared:
        default += f", else the default model for `{declared['role']}`"
    return f"`{name}`", said, default, declared.get("description", "")
