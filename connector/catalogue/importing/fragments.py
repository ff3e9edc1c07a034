"""Filling a document up with what overlays declare in OpenAPI's own form: operations, schemas and patches."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from connector.catalogue.importing.overlays import Overlay, Overlays
from connector.catalogue.importing.patches import apply_patch
from connector.model import JSON
from connector.shapes import items, members

__all__ = ["with_fragments"]


def with_fragments(document: Mapping[str, JSON], overlays: Overlays) -> tuple[dict[str, JSON], list[str]]:
    """The document with what the overlays add where it lacks something, and what of them found no place in it."""
    filled: dict[str, Any] = copy.deepcopy(dict(document))
    filled.setdefault("paths", {})
    notices: list[str] = []
    for section in ("x-additions", "x-relaxed"):
        for overlay in overlays.files:
            notices += _patch(filled, overlay, section)
    for overlay in overlays.files:
        for path, item in members(overlay.content.get("paths")).items():
            for method, operation in item.items():
                notices += _add(filled["paths"], path, method, operation, overlay.file)
        schemas = filled.setdefault("components", {}).setdefault("schemas", {})
        for name, schema in members(members(overlay.content.get("components")).get("schemas")).items():
            schemas.setdefault(name, schema)
    return filled, notices


def _patch(document: dict[str, Any], overlay: Overlay, section: str) -> list[str]:
    where = f"overlays/{overlay.file}: {section}"
    patches = items(overlay.content.get(section))
    unfit = [patch["at"] for patch in patches if not apply_patch(document, patch, where)]
    return [f"{where}: {place} is not in the document" for place in unfit]


def _add(paths: dict[str, Any], path: str, method: str, operation: Mapping[str, JSON], file: str) -> list[str]:
    """Adds one operation; what the document says of it already stays, and what it replaces moves here."""
    known = paths.get(path, {}).get(method)
    replaced = operation.get("x-replaces")
    notices: list[str] = []
    if replaced and known is None:
        method_there, _, path_there = replaced.partition(" ")
        known = paths.get(path_there, {}).pop(method_there.lower(), None)
        if known is None:
            notices = [f"overlays/{file}: x-replaces: {replaced} is not in the document"]
    aliases = {"x-aliases": [replaced]} if replaced else {}
    paths.setdefault(path, {})[method] = {**operation, **members(known), **aliases}
    return notices
