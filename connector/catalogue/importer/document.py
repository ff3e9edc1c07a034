"""Reading of an OpenAPI document, and its inner references."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote

import orjson

from connector.errors import ConfigurationError
from connector.model import JSON, is_document, is_list, items, members
from connector.yaml import API_DOCUMENT, read_yaml

__all__ = ["METHODS", "follow", "iterate_operations", "read_document", "read_servers"]

METHODS = ("get", "post", "put", "patch", "delete", "head", "options")


def read_document(path: Path) -> dict[str, JSON]:
    """Read an OpenAPI 3.0 or 3.1 document from a JSON or YAML file."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read ({error.strerror}); name an OpenAPI document") from error
    document = members(
        _read_json(data, path) if data.lstrip()[:1] == b"{" else read_yaml(data, str(path), API_DOCUMENT)
    )
    version = str(document.get("openapi", ""))
    if not version.startswith(("3.0", "3.1")):
        found = f"openapi: {version}" if version else "no openapi version"
        raise ConfigurationError(f"{path}: {found}; an OpenAPI 3.0 or 3.1 document is needed")
    return document


def _read_json(data: bytes, path: Path) -> JSON:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise ConfigurationError(f"{path}: not JSON ({error})") from error


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
