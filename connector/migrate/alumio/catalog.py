"""Where parameters of exported steps hold other steps, and which names are ours by another word."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["CASES", "HOLDS", "RENAMED"]

HOLDS: Mapping[str, str] = {
    "transformers": "steps",
    "node_transformers": "steps",
    "else_transformers": "steps",
    "transformer": "steps",
    "filters": "conditions",
    "node_filters": "conditions",
    "conditions": "conditions",
    "filter": "conditions",
    "condition": "conditions",
    "mappers": "mappers",
    "mapper": "mappers",
    "accessor": "accessor",
    "source": "accessor",
    "destination": "accessor",
}
"""What a parameter holds, by its name; source and destination may also be paths."""
CASES = "else_cases"

RENAMED: Mapping[str, Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "mapper": {
        "string-lower": ("string-case", {"case": "lower"}),
        "string-upper": ("string-case", {"case": "upper"}),
        "string-trim": ("trim", {}),
        "list-concat": ("list-implode", {}),
        "list-join": ("list-implode", {}),
        "string-hash": ("hash", {}),
        "json-encode": ("serialize-json", {}),
        "json-decode": ("deserialize-json", {}),
    },
    "condition": {
        "and-condition": ("logic-and", {}),
        "or-condition": ("logic-or", {}),
        "not-condition": ("logic-not", {}),
    },
    "step": {"execute-entity-transformers": ("chain", {})},
    "accessor": {},
}
"""Names that a registry does not know, as one that it knows, with parameters that say the rest."""
