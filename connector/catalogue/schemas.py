"""The schemas of operations, collected from the definition files when they are used."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from connector.errors import ConfigurationError
from connector.model import JSON, is_document, is_list

__all__ = ["DEFS", "DIALECT", "FILLED", "SHARED", "Definitions", "find_references", "require_filled"]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
DEFS = "#/$defs/"
SHARED = "shared"
FILLED = "x-filled"
"""Beside `required`: fields that callers need not give, since the API fills them in, and that every answer has."""
REFERENCE = re.compile(rb'"\$ref":\s*"#/\$defs/([^"/]+)')


class Definitions:
    """The definition files of a catalogue folder; each is read when the first of its schemas is used."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, Mapping[str, bytes]] = {}

    def schema(self, area: str, name: str) -> dict[str, JSON]:
        """Return a definition as a self-contained schema."""
        return {"$schema": DIALECT, "$ref": DEFS + name, "$defs": self.closure(area, [name])}

    def closure_of(self, area: str, schema: JSON) -> dict[str, JSON]:
        """Return all definitions that a schema from elsewhere reaches."""
        return self.closure(area, find_references(schema))

    def closure(self, area: str, names: Iterable[str]) -> dict[str, JSON]:
        """Return these definitions and all they reach; found in the text, so that only they are parsed."""
        reached: dict[str, bytes] = {}
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached[name] = self._read_text(area, name)
                waiting += [found.decode() for found in REFERENCE.findall(reached[name])]
        return _parse(reached)

    def all(self) -> dict[str, JSON]:
        """Return every definition of every file, by name."""
        files = sorted((self._folder / "schemas").glob("*.json"))
        return {name: schema for file in files for name, schema in _parse(self._read_file(file.stem)).items()}

    def _read_text(self, area: str, name: str) -> bytes:
        text = self._read_file(area).get(name) or self._read_file(SHARED).get(name)
        if text is None:
            files = f"schemas/{area}.json or schemas/{SHARED}.json"
            advice = "import the document again"
            raise ConfigurationError(f"{self._folder}: no definition {name!r} in {files}; {advice}")
        return text

    def _read_file(self, name: str) -> Mapping[str, bytes]:
        if name not in self._files:
            path = self._folder / "schemas" / f"{name}.json"
            self._files[name] = _split_definitions(path.read_bytes(), path) if path.is_file() else {}
        return self._files[name]


def _split_definitions(data: bytes, path: Path) -> dict[str, bytes]:
    """Return a file's definitions as JSON text: its lines as they are, or parsed where it was reformatted."""
    first, *lines, _ = data.split(b"\n") if data.endswith(b"\n}\n") else (b"", b"")
    if first == b"{" and all(line.startswith(b'"') for line in lines[:-1]):
        pairs = (line.split(b": ", 1) for line in lines[:-1])
        return {name[1:-1].decode(): text.removesuffix(b",") for name, text in pairs}
    try:
        return {name: orjson.dumps(schema) for name, schema in orjson.loads(data).items()}
    except orjson.JSONDecodeError as error:
        raise ConfigurationError(f"{path}: not JSON ({error}); import the document again") from error


def _parse(definitions: Mapping[str, bytes]) -> dict[str, JSON]:
    members = b",".join(b'"%b":%b' % (name.encode(), text) for name, text in definitions.items())
    parsed: dict[str, JSON] = orjson.loads(b"{%b}" % members)
    return parsed


def find_references(value: JSON) -> Iterator[str]:
    """Yield the names of the definitions that a schema refers to."""
    waiting: list[Any] = [value]
    while waiting:
        item = waiting.pop()
        if is_document(item):
            reference = item.get("$ref")
            if isinstance(reference, str):
                yield reference.removeprefix(DEFS).split("/")[0]
            waiting.extend(item.values())
        elif is_list(item):
            waiting.extend(item)


def require_filled(value: JSON) -> JSON:
    """Return a schema for answers, in which fields that the API fills in are required too."""
    if is_list(value):
        return [require_filled(item) for item in value]
    if not is_document(value):
        return value
    schema = {key: require_filled(item) for key, item in value.items() if key != FILLED}
    return {**schema, "required": [*schema.get("required", []), *value[FILLED]]} if FILLED in value else schema
