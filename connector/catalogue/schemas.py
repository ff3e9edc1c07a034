"""An operation's schemas, gathered from the definition files when they are used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import orjson

from connector.errors import ConfigurationError
from connector.model import JSON

__all__ = ["DIALECT", "Definitions"]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
DEFS = "#/$defs/"
SHARED = "shared"


class Definitions:
    """The definition files of a catalogue folder; each is read once, when the first of its schemas is asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, Mapping[str, JSON]] = {}

    def schema(self, area: str, name: str) -> dict[str, JSON]:
        """A definition as a schema of its own, with all it refers to."""
        return {"$schema": DIALECT, "$ref": DEFS + name, "$defs": self.closure(area, [name])}

    def closure(self, area: str, names: list[str]) -> dict[str, JSON]:
        """The definitions that these reach, themselves included."""
        reached: dict[str, JSON] = {}
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached[name] = self._definition(area, name)
                waiting.extend(references(reached[name]))
        return reached

    def reached(self, area: str, schema: JSON) -> dict[str, JSON]:
        """The definitions that a schema written elsewhere refers to, and all they reach."""
        return self.closure(area, list(references(schema)))

    def all(self) -> dict[str, JSON]:
        """Every definition of every file, by name."""
        files = sorted((self._folder / "schemas").glob("*.json"))
        return {name: schema for file in files for name, schema in self._file(file.stem).items()}

    def _definition(self, area: str, name: str) -> JSON:
        own = self._file(area)
        if name in own:
            return own[name]
        try:
            return self._file(SHARED)[name]
        except KeyError:
            files = f"schemas/{area}.json or schemas/{SHARED}.json"
            raise ConfigurationError(f"{self._folder}: no definition {name!r} in {files}; import the document again") from None

    def _file(self, name: str) -> Mapping[str, JSON]:
        if name not in self._files:
            path = self._folder / "schemas" / f"{name}.json"
            try:
                self._files[name] = orjson.loads(path.read_bytes()) if path.is_file() else {}
            except orjson.JSONDecodeError as error:
                raise ConfigurationError(f"{path}: not JSON ({error}); import the document again") from error
        return self._files[name]


def references(value: JSON) -> Iterator[str]:
    """The names of the definitions that a schema refers to."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            reference = item.get("$ref")
            if isinstance(reference, str):
                yield reference.removeprefix(DEFS).split("/")[0]
            waiting.extend(part for part in item.values() if isinstance(part, (dict, list)))
        elif isinstance(item, list):
            waiting.extend(part for part in item if isinstance(part, (dict, list)))
