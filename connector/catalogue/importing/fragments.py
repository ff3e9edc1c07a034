"""Filling a document up with what overlays declare in OpenAPI's own form: operations and schemas it lacks."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from connector.catalogue.importing.overlays import Overlays
from connector.errors import ConfigurationError
from connector.model import JSON

__all__ = ["with_fragments"]


def with_fragments(document: Mapping[str, JSON], overlays: Overlays) -> dict[str, JSON]:
    """The document with the overlays' paths and components where it lacks them."""
    filled: dict[str, Any] = copy.deepcopy(dict(document))
    for overlay in overlays.files:
        for path, item in (overlay.content.get("paths") or {}).items():
            for method, operation in item.items():
                _add(filled.setdefault("paths", {}), path, method, operation, overlay.file)
        schemas = filled.setdefault("components", {}).setdefault("schemas", {})
        for name, schema in ((overlay.content.get("components") or {}).get("schemas") or {}).items():
            schemas.setdefault(name, schema)
    return filled


def _add(paths: dict[str, Any], path: str, method: str, operation: Mapping[str, JSON], file: str) -> None:
    """Adds one operation; what the document says of it already stays, and what it replaces moves here."""
    known = paths.get(path, {}).get(method, {})
    replaced = operation.get("x-replaces")
    if replaced and not known:
        known = _taken(paths, replaced, file) | {"x-aliases": [replaced]}
    paths.setdefault(path, {})[method] = {**operation, **known}


def _taken(paths: dict[str, Any], wire_name: str, file: str) -> dict[str, JSON]:
    method, _, path = wire_name.partition(" ")
    operation: dict[str, JSON] = paths.get(path, {}).pop(method.lower(), {})
    if not operation:
        raise ConfigurationError(f"overlays/{file}: x-replaces: {wire_name!r} is not in the document")
    return operation
