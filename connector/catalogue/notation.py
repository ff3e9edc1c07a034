"""The notation of an operation in an area's YAML, and the operation it declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.catalogue.operation import Operation
from connector.errors import ConfigurationError
from connector.model import JSON, Effect

__all__ = ["METHODS", "ORDER", "operation_from"]

METHODS = ("get", "post", "put", "patch", "delete", "head", "options")
ORDER = (
    "verb", "on", "aliases", "fixed_query", "path", "query", "required_query", "headers", "pages", "body", "parts",
    "payload", "alternatives", "payload_required", "answer", "stream", "stream_on", "ends", "beta", "key", "effect",
    "reconcile", "cost", "hands_out", "deprecated", "removed",
)  # fmt: skip
"""The keys of an entry after its method, in the order they are written."""

LISTS = frozenset({"aliases", "required_query", "body"})


def operation_from(area: str, entity: str, action: str, entry: Mapping[str, JSON]) -> Operation:
    """The operation that an entry declares; what the entry leaves out has its default."""
    methods = [key for key in entry if key in METHODS]
    unknown = [key for key in entry if key not in METHODS and key not in ORDER]
    if len(methods) != 1 or unknown:
        found = f"unknown key {unknown[0]!r}" if unknown else f"{len(methods)} methods"
        allowed = f"an entry has one of {', '.join(METHODS)}, and {', '.join(ORDER)}"
        raise ConfigurationError(f"{area}.yaml: {entity}: {action}: {found}; {allowed}")
    method = methods[0]
    fields: dict[str, Any] = {key: value for key, value in entry.items() if key != method}
    for key in LISTS & fields.keys():
        fields[key] = tuple(fields[key])
    if "ends" in fields:
        fields["ends"] = (fields["ends"],) if isinstance(fields["ends"], str) else tuple(fields["ends"])
    default = Effect.NONE if method in ("get", "head", "options") else Effect.OPAQUE
    fields["effect"] = Effect(fields.get("effect", default))
    return Operation(entity=entity, action=action, area=area, method=method.upper(), template=entry[method], **fields)
