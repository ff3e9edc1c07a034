"""The reference page of a configuration: its parts, field by field, and what lint asks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connector.catalogue.phrases import phrase
from connector.config.lint import RULE_SUMMARIES
from connector.config.models.measures import UNITS, WRITTEN
from connector.config.schema import json_schema
from connector.config.sources import SECTIONS
from tools.markdown import table

Schema = dict[str, Any]
STEPS = "#/$defs/steps"
WITHIN = (
    "Component", "Cursor", "Response", "Batch", "Budget", "Job", "GatewayToken", "Tls",
)  # fmt: skip
"""The parts of parts, each told once."""


def configuration() -> str:
    whole = json_schema()
    entries: dict[str, Schema] = whole["$defs"]
    entries["Component"] = entries["Subscriber"]
    parts = [
        "# Configuration",
        "The keys of `connector.yaml`; see [the guide](../guides/configuration.md). A field marked `*` must be"
        " given, camelCase is understood, and `${NAME}` may replace any value.",
    ]
    for name, part in whole["properties"].items():
        if name == "$schema":
            continue
        then = part.get("then", part)
        inner = then.get("additionalProperties") or then
        entry = object_of(entries.get(inner["$ref"].rsplit("/", 1)[-1], {})) if "$ref" in inner else {}
        said = then.get("description") or entry.get("description", "")
        parts += [f"## `{name}`{'.NAME' if name in SECTIONS else ''}", said, fields(entry, entries)]
    for name in WITHIN:
        entry = object_of(entries[name])
        parts += [f"## {name}", entry.get("description", ""), fields(entry, entries)]
    parts += ["## What `lint` looks for", table(("rule", "says"), [(f"`{k}`", v) for k, v in RULE_SUMMARIES.items()])]
    return "\n\n".join(part for part in parts if part)


def object_of(entry: Schema) -> Schema:
    """The object that an entry is where it is written in full."""
    while "then" in entry:
        entry = entry["then"]
    return entry


def fields(entry: Schema, entries: dict[str, Schema]) -> str:
    rows = list(rows_of(entry, entries))
    return table(("field", "value", "default", "what it is"), rows) if rows else ""


def rows_of(entry: Schema, entries: dict[str, Schema]) -> Iterator[tuple[str, str, str, str]]:
    required = entry.get("required", ())
    for name, field in entry.get("properties", {}).items():
        if field.get("doNotSuggest"):
            continue
        default = field.get("default")
        if is_time(field) and default:
            default = written(default)
        shown = "" if default in (None, "", [], {}) else f"`{str(default).lower() if default is False else default}`"
        yield (
            f"`{name}`" + ("\\*" if name in required else ""),
            value(field, entries),
            shown,
            field.get("description", ""),
        )


def value(field: Schema, entries: dict[str, Schema]) -> str:
    """What a field may be, in a few words."""
    if is_time(field):
        return f"a time: 30s, 15m, 6h, 1d{', or forever' if 'forever' in str(field) else ''}"
    if STEPS in (field.get("$ref"), field.get("then", {}).get("$ref")):
        return "steps"
    inner = field.get("additionalProperties")
    if isinstance(inner, dict) and "$ref" in inner:
        return f"{inner['$ref'].rsplit('/', 1)[-1]} by name"
    items = field.get("then", {}).get("items", {}) if "if" in field else {}
    if "$ref" in items:
        return f"{items['$ref'].rsplit('/', 1)[-1]}, or a list of them"
    said = plain({key: part for key, part in field.items() if key != "default"})
    return phrase(said, {"$defs": entries})


def is_time(field: Schema) -> bool:
    """Whether a field is a length of time, in any notation."""
    return any(branch.get("pattern") == WRITTEN["pattern"] or is_time(branch) for branch in field.get("anyOf", ()))


def written(seconds: float) -> str:
    """A length of time as people write it."""
    unit = next(unit for unit in reversed(UNITS) if seconds % UNITS[unit] == 0)
    return f"{seconds / UNITS[unit]:.0f}{unit}"


def plain(schema: Any) -> Any:
    """A schema without null, and without the references that may replace any value."""
    if not isinstance(schema, dict):
        return schema
    found = {key: plain(value) for key, value in schema.items()}
    if "anyOf" in found:
        kept = [plain(branch) for branch in found["anyOf"] if not odd(branch)]
        if len(kept) == 1:
            found.pop("anyOf")
            return found | kept[0]
        found["anyOf"] = kept
    return found


def odd(branch: Schema) -> bool:
    return branch.get("type") == "null" or branch.get("pattern") == r"\$\{"
