"""The patches that one document needs so that it refuses nothing the SDK's types allow."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from connector.catalogue.importer.sdk.comparison import Comparison, Patch
from connector.catalogue.importer.sdk.document import Document, Node
from connector.catalogue.importer.sdk.methods import Method
from connector.catalogue.importer.sdk.paths import Translation
from connector.catalogue.importer.sdk.schemas import any_of
from connector.model import is_document, is_list

WRAPS = ("anyOf", "type", "nullable")
RELAXED = ("optional", "nullable", "open", "type")


def overlay(
    document: Document, translation: Translation, shared: Iterable[tuple[Method, Node]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The additions and the relaxations of the operations that both know; patches of one place are one."""
    together: dict[tuple[str, str], dict[str, Any]] = {}
    for method, node in shared:
        comparison = Comparison(document, translation.definitions)
        for patch in _operation(document, translation, comparison, method, node):
            entry = {"at": patch.at, "operation": method.operation, "location": patch.where, patch.kind: patch.value}
            key = (patch.at, patch.kind)
            together[key] = _merge_entries(together[key], patch) if key in together else entry
    found = sorted(together.items(), key=lambda item: _order(*item[0]))
    additions = [entry for (_, kind), entry in found if kind not in RELAXED]
    relaxed = [{("anyOf" if k == "type" else k): v for k, v in e.items()} for (_, kind), e in found if kind in RELAXED]
    return additions, relaxed


def _order(at: str, kind: str) -> tuple[int, str, str]:
    """By place; but what wraps a schema comes last, the deepest first, so that no pointer is moved before its turn."""
    return (at.count("/") * -1 if kind in WRAPS else -1000, at, kind)


def _merge_entries(entry: dict[str, Any], patch: Patch) -> dict[str, Any]:
    """An entry that also says what a further patch of the same kind at the same place says."""
    old, new = entry[patch.kind], patch.value
    if is_document(old):
        both: Any = {n: any_of([o[n] for o in (old, new) if n in o]) for n in {**old, **new}}
    else:
        both = [*old, *(v for v in new if v not in old)] if is_list(old) else old
    return {**entry, patch.kind: both}


def _operation(
    document: Document, translation: Translation, comparison: Comparison, method: Method, node: Node
) -> Iterator[Patch]:
    yield from _parameters(document, translation, comparison, method, node)
    if method.payload_types:
        yield from _payload(translation, comparison, method, node)


def _parameters(
    document: Document, translation: Translation, comparison: Comparison, method: Method, node: Node
) -> Iterator[Patch]:
    """Query and header parameters; both spellings of a list's name (`ids`, `ids[]`) are one."""
    held = [document.node(node.at.rpartition("/")[0]), node]
    said = [h.child("parameters", i) for h in held for i in range(len(h.schema.get("parameters", ())))]
    known = {_key(p.schema): p for p in map(document.resolved, said)}
    wanted = {_key(p): p for p in translation.parameters(method) if p["in"] != "path"}
    for key, parameter in wanted.items():
        where = f"{parameter['in']}.{parameter['name']}"
        if key not in known:
            yield Patch(node.at, "parameters", [parameter], where)
        else:
            yield from comparison.patches(parameter["schema"], known[key].child("schema"), where)
    for key, theirs in known.items():
        if theirs.schema.get("required") and key[0] != "path" and not wanted.get(key, {}).get("required"):
            yield Patch(node.at, "optional", [theirs.schema["name"]], f"{key[0]}.{key[1]}")


def _key(parameter: Any) -> tuple[str, str]:
    return parameter["in"], parameter["name"].removesuffix("[]").lower()


def _payload(translation: Translation, comparison: Comparison, method: Method, node: Node) -> Iterator[Patch]:
    kinds = node.schema.get("requestBody", {}).get("content", {})
    kind = "multipart/form-data" if method.multipart else "application/json"
    if kind not in kinds:
        yield Patch(node.at, "requestBody", translation.body(method), "payload")
        return
    for known in kinds:
        if known in ("multipart/form-data", "application/json"):
            schema = node.child("requestBody", "content", known, "schema")
            found = comparison.patches(translation.payload(method), schema, "payload")
            yield from found if known == kind else filter(_without_files, found)


def _without_files(patch: Patch) -> bool:
    """Whether a form's patch is true of the same payload as JSON, where files are named in other ways."""
    return patch.kind in ("properties", "enum", "nullable") and '"binary"' not in json.dumps(patch.value)
