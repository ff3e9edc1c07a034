"""The overlays `sdk.yaml` and `sdk-names.yaml`: what the official SDK's types know and an OpenAPI document lacks."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connector.catalogue.importer.sdk.annotations import Annotations
from connector.catalogue.importer.sdk.document import Document, Node, escaped
from connector.catalogue.importer.sdk.methods import Method, methods
from connector.catalogue.importer.sdk.modules import Package, read_sdk
from connector.catalogue.importer.sdk.names import canonical_names, closure, rename_references
from connector.catalogue.importer.sdk.patches import overlay
from connector.catalogue.importer.sdk.paths import Translation
from connector.catalogue.importer.sdk.yaml_lines import lines
from connector.errors import ConfigurationError

__all__ = ["SdkOverlays", "read_overlays_of_sdk"]

HEADER = """\
# Made by `openai-connector entities update` from the types of the official SDK, openai {version}. Do not edit.
# paths and components: operations that the OpenAPI document lacks. x-additions and x-relaxed: patches that loosen
# the document where the SDK's types allow more; `at` is a JSON pointer into the document.
"""
OPERATION = re.compile(r"[A-Z]+ /[\w/{}.?&=-]*", re.ASCII)
"""Operations that YAML takes as they are."""
NAMES_HEADER = """\
# The dotted names that users of the official Python SDK know its operations by (without `client.`).
applies_to: [https://api.openai.com/v1]
aliases:
"""


@dataclass(frozen=True, slots=True)
class SdkOverlays:
    """What one release of the SDK adds to a document."""

    version: str
    content: Mapping[str, Any]
    aliases: Mapping[str, str]
    notes: tuple[str, ...]
    """What could not be read."""

    def text(self) -> str:
        """Return `sdk.yaml`."""
        return HEADER.format(version=self.version) + "".join(f"{line}\n" for line in lines(dict(self.content)))

    def names_text(self, before: str | None = None) -> str:
        """Return `sdk-names.yaml`: an earlier one with the names that it does not have yet."""
        text = NAMES_HEADER if before is None else before
        known = {line.partition(":")[0].strip() for line in text.splitlines()}
        new = [
            f"  {name}: {operation if OPERATION.fullmatch(operation) else json.dumps(operation)}\n"
            for name, operation in self.aliases.items()
            if name not in known
        ]
        return text + "".join(new)


def read_overlays_of_sdk(source: Path, content: Mapping[str, Any]) -> SdkOverlays:
    """Read what the SDK in a wheel or folder knows that this document lacks."""
    notes: list[str] = []
    package = read_sdk(source)
    annotations = Annotations(package)
    document = Document(content)
    known = _operations(document)
    try:
        found = _by_signature(annotations, notes)
        if not found:
            raise ConfigurationError(f"{source}: no operations in it; is it the official SDK?")
        shared = [(method, known[key]) for key, method in sorted(found.items()) if key in known]
        alone = [method for key, method in found.items() if key not in known]
        translation = Translation(annotations, content.get("components", {}).get("schemas", {}), notes)
        translation.learn(alone, [method for method, _ in shared])
        paths = translation.paths(alone)
        readable = [(method, node) for method, node in shared if translation.is_readable(method)]
        additions, relaxed = overlay(document, translation, readable)
    except RecursionError as error:
        raise ConfigurationError(f"{source}: its types lead into each other too deeply") from error
    parts = {"paths": paths, "x-additions": additions, "x-relaxed": relaxed}
    aliases = dict(_aliases(found, known))
    return SdkOverlays(_version(package), _shorten(translation, parts), aliases, tuple(dict.fromkeys(notes)))


def signature(operation: str) -> str:
    """Return an operation, under any names of its path parameters."""
    return re.sub(r"{\w+}", "{}", operation)


def _by_signature(annotations: Annotations, notes: list[str]) -> dict[str, Method]:
    """Return the SDK's methods by operation, one for each."""
    found: dict[str, Method] = {}
    for method in methods(annotations, notes):
        found.setdefault(signature(method.operation), method)
    return found


def _operations(document: Document) -> dict[str, Node]:
    """Return the document's operations by signature."""
    return {
        signature(f"{verb.upper()} {path}"): Node(f"/paths/{escaped(path)}/{verb}", said)
        for path, item in document.content["paths"].items()
        for verb, said in item.items()
        if verb in ("get", "post", "delete", "put", "patch")
    }


def _aliases(found: Mapping[str, Method], known: Mapping[str, Node]) -> Iterator[tuple[str, str]]:
    """Yield the SDK's name of each operation that the document has, and the operation as the document spells it."""
    for key, node in known.items():
        if key in found:
            path, _, verb = node.at.removeprefix("/paths/").rpartition("/")
            yield found[key].name, f"{verb.upper()} {path.replace('~1', '/').replace('~0', '~')}"


def _shorten(translation: Translation, parts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the overlay with only the definitions that are referred to, those that say the same being one."""
    names = canonical_names(translation.definitions)
    schemas = {names[n]: rename_references(s, names) for n, s in translation.definitions.items() if names[n] == n}
    paths, additions, relaxed = (rename_references(parts[key], names) for key in ("paths", "x-additions", "x-relaxed"))
    used = closure([paths, additions, relaxed], schemas)
    return {"paths": paths, "components": {"schemas": used}, "x-additions": additions, "x-relaxed": relaxed}


def _version(package: Package) -> str:
    module = package.module("openai._version")
    value = module.symbols.get("__version__") if module else None
    return str(value.value) if isinstance(value, ast.Constant) else "unknown"
