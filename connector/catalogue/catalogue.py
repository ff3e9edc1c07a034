"""The catalogue of one folder: operations by name or path, and their schemas."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from connector.catalogue.index import Index, read_index
from connector.catalogue.lookup import Lookup, Matcher, Use
from connector.catalogue.operation import METHODS, Operation, parse_operation
from connector.catalogue.schemas import DIALECT, Definitions, require_filled
from connector.declarations import folder as declarations
from connector.model import JSON, JSONValue

__all__ = ["Catalogue"]


class Catalogue:
    """The operations of an API; each is read when it is asked for."""

    def __init__(self, folder: Path, index: Index) -> None:
        self.folder = folder
        self._rows = cast("Sequence[Any]", index["operations"])
        self._lookup = Lookup(index, self._match)
        self._made: dict[int, Operation] = {}
        self._schemas: dict[tuple[str, str], dict[str, JSON]] = {}
        self._answers: dict[tuple[str, str], dict[str, JSON]] = {}
        self._definitions = Definitions(folder)

    @classmethod
    def open(cls, folder: Path | None = None) -> Catalogue:
        """Open the catalogue in a folder, or the one that ships with the connector."""
        folder = folder or declarations("entities")
        index, fresh = read_index(folder)
        if not fresh:
            message = f"{folder / 'index.json'} is older than the area files beside it; it was made anew in memory"
            warnings.warn(message, stacklevel=2)
        return cls(folder, index)

    def find(self, name: str, action: str | None = None, *, use: Use | None = None) -> Operation:
        """Find an operation by entity and action, alias, or method and path; separators do not matter.

        Args:
            name: an entity, or by itself any name of an operation.
            action: what is done with the entity.
            use: `read` for subscribers, `write` for publishers, to whom an entity alone means its `create`.
        """
        return self._operation(self._lookup.find(name, action, use))

    def match(self, method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
        """Match a request to its operation; return the operation and its path parameters."""
        found = self._match(method, path)
        return None if found is None else (self._operation(found[0]), found[1])

    def operations(self) -> tuple[Operation, ...]:
        """Return every operation, by area and entity."""
        return tuple(self._operation(place) for place in range(len(self._rows)))

    def entities(self) -> tuple[str, ...]:
        """Return the names of all entities, by area."""
        return tuple(dict.fromkeys(row[1] for row in self._rows))

    def rows(self) -> Iterator[list[JSONValue]]:
        """Return every operation as area, entity, action and entry, in the catalogue's notation."""
        return iter(self._rows)

    def definitions(self) -> dict[str, JSONValue]:
        """Return every schema definition of every area, by name."""
        return self._definitions.all()

    def payload_schema(self, operation: Operation, body: str | None = None) -> dict[str, JSONValue] | None:
        """Return the schema of an operation's payload, for a kind of body where kinds differ; None for no payload."""
        name = operation.alternatives.get(body or "", operation.payload)
        return None if name is None else self._build_schema(operation.area, name)

    def answer_schema(self, operation: Operation, kind: str = "json") -> dict[str, JSONValue] | None:
        """Return the schema of one kind of an operation's answer; for `events`, the schema of one event."""
        name = operation.answer.get(kind)
        return None if name is None else self._build_answer(operation.area, name)

    def query_schema(self, operation: Operation) -> dict[str, JSONValue]:
        """Return the schema of an operation's query as one object."""
        return self._parameters_schema(operation, "query", list(operation.required_query))

    def path_schema(self, operation: Operation) -> dict[str, JSONValue]:
        """Return the schema of an operation's path parameters as one object."""
        return self._parameters_schema(operation, "path", list(operation.parameters))

    def _parameters_schema(self, operation: Operation, part: str, required: list[str]) -> dict[str, JSON]:
        declared = getattr(operation, part)
        properties = {name: {"type": "string"} for name in operation.parameters} if part == "path" else {}
        schema: dict[str, JSON] = {"$schema": DIALECT, "type": "object", "properties": {**properties, **declared}}
        schema |= {"additionalProperties": False} | ({"required": required} if required else {})
        defs = self._definitions.closure_of(operation.area, declared)
        return schema | ({"$defs": defs} if defs else {})

    def _build_schema(self, area: str, name: str) -> dict[str, JSON]:
        if (area, name) not in self._schemas:
            self._schemas[area, name] = self._definitions.schema(area, name)
        return self._schemas[area, name]

    def _build_answer(self, area: str, name: str) -> dict[str, JSON]:
        if (area, name) not in self._answers:
            self._answers[area, name] = require_filled(self._build_schema(area, name))
        return self._answers[area, name]

    def _operation(self, place: int) -> Operation:
        if place not in self._made:
            self._made[place] = parse_operation(*self._rows[place])
        return self._made[place]

    def _match(self, method: str, path: str) -> tuple[int, dict[str, str]] | None:
        return self._matcher.match(method, path)

    @cached_property
    def _matcher(self) -> Matcher:
        return Matcher(
            (place, method.upper(), entry[method], entry.get("fixed_query", {}))
            for place, (_, _, _, entry) in enumerate(self._rows)
            for method in METHODS
            if method in entry
        )
