"""Reading of an OpenAPI document, and its inner references."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote

import orjson

from connector.errors import ConfigurationError
from connector.model import JSON, is_document, is_list, items, members
from connector.yaml import API_DOCUMENT, read_yaml

__all__ = [
    "METHODS",
    "follow",
    "format_document",
    "iterate_operations",
    "parse_document",
    "read_document",
    "read_servers",
]

LARGEST = 64 * 2**20
METHODS = ("get", "post", "put", "patch", "delete", "head", "options")


def read_document(path: Path, where: str = "") -> dict[str, JSON]:
    """Read an OpenAPI 3.0 or 3.1 document from a JSON or YAML file; `where` names it in messages."""
    where = where or str(path)
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise ConfigurationError(f"{where}: cannot be read ({error.strerror}); name an OpenAPI document") from error
    return parse_document(data, where)


def parse_document(data: bytes, where: str) -> dict[str, JSON]:
    """Parse an OpenAPI 3.0 or 3.1 document, JSON or YAML."""
    if len(data) > LARGEST:
        raise ConfigurationError(f"{where}: more than {LARGEST // 2**20} MB; is it an OpenAPI document?")
    document = members(_read_json(data, where) if data.lstrip()[:1] == b"{" else read_yaml(data, where, API_DOCUMENT))
    version = str(document.get("openapi", ""))
    if not version.startswith(("3.0", "3.1")):
        found = f"openapi: {version}" if version else "no openapi version"
        raise ConfigurationError(f"{where}: {found}; an OpenAPI 3.0 or 3.1 document is needed")
    return document


def _read_json(data: bytes, where: str) -> JSON:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise ConfigurationError(f"{where}: not JSON ({error})") from error


PROSE = frozenset({"description", "summary", "example", "examples", "externalDocs", "x-oaiMeta", "x-codeSamples"})
NAMED = frozenset({
    "properties", "patternProperties", "schemas", "parameters", "responses", "requestBodies", "headers", "content",
    "paths", "webhooks", "callbacks", "links", "securitySchemes", "variables", "$defs", "definitions", "encoding",
})  # fmt: skip
"""Where the keys of an object are names, and none of them is prose."""
VALUES = frozenset({"default", "enum", "const"})


def format_document(document: Mapping[str, JSON]) -> bytes:
    """Format a document without its prose, with a path and a definition a line, so that a catalogue can be remade."""
    kept = _without_prose(document)
    return _format_object(kept, 2 if "paths" in kept else 1) + b"\n"


def _without_prose(value: JSON, *, named: bool = False) -> JSON:
    if is_list(value):
        return [_without_prose(item) for item in value]
    if not is_document(value):
        return value
    return {
        key: item if key in VALUES and not named else _without_prose(item, named=key in NAMED and not named)
        for key, item in value.items()
        if named or key not in PROSE
    }


def _format_object(value: Mapping[str, JSON], depth: int) -> bytes:
    """Format an object with a member a line, down to this depth; components are a level deeper."""
    lines: list[bytes] = []
    for key, item in value.items():
        is_open = is_document(item) and item and depth > 1
        text = _format_object(item, depth + (key == "components") - 1) if is_open else _dump(item)
        lines.append(_dump(str(key)) + b": " + text)
    return b"{\n" + b",\n".join(lines) + b"\n}"


def _dump(value: JSON) -> bytes:
    """Format a value on one line; unlike orjson with integers of any size, which bounds of documents are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def follow(document: Mapping[str, JSON], value: JSON) -> JSON:
    """Return a value itself, or the target of its `$ref` inside the document."""
    seen: set[str] = set()
    while is_document(value) and isinstance(value.get("$ref"), str):
        reference = value["$ref"]
        if reference in seen:
            raise ConfigurationError(f"the document's reference {reference!r} leads back to itself")
        seen.add(reference)
        value = _resolve_pointer(document, reference)
    return value


def _resolve_pointer(document: Mapping[str, JSON], reference: str) -> JSON:
    if not reference.startswith("#/"):
        raise ConfigurationError(f"the reference {reference!r} leads outside the document; bundle it into one file")
    value: JSON = document
    for step in reference[2:].split("/"):
        name = unquote(step).replace("~1", "/").replace("~0", "~")
        if is_list(value) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        elif is_document(value) and name in value:
            value = value[name]
        else:
            raise ConfigurationError(f"the document's reference {reference!r} points at nothing")
    return value


def iterate_operations(document: Mapping[str, JSON]) -> Iterator[tuple[str, str, Mapping[str, JSON]]]:
    """Yield every operation as method, path and object, with its path's parameters merged in."""
    for path, declared in members(document.get("paths")).items():
        item = follow(document, declared)
        for method in METHODS:
            if is_document(item.get(method)):
                yield (
                    method.upper(),
                    path,
                    {**item[method], "parameters": _merge_parameters(document, item, item[method])},
                )


def _merge_parameters(document: Mapping[str, JSON], *levels: Mapping[str, JSON]) -> list[JSON]:
    merged: dict[tuple[str, str], JSON] = {}
    for level in levels:
        for declared in items(level.get("parameters")):
            parameter = follow(document, declared)
            merged[parameter["in"], parameter["name"]] = parameter
    return list(merged.values())


def read_servers(document: Mapping[str, JSON]) -> list[str]:
    """Return the server addresses of a document, without trailing slashes."""
    return [server["url"].rstrip("/") for server in items(document.get("servers")) if server.get("url")]
