"""The drift of a document from a catalogue: what an import of it would add, remove and change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from connector.catalogue.catalogue import Catalogue
from connector.catalogue.operation import METHODS
from connector.catalogue.schemas import FILLED
from connector.model import JSON, is_document, is_list, members

__all__ = ["Difference", "Drift", "compare_catalogues", "compare_entries", "compare_schemas", "find_drift"]


@dataclass(frozen=True, slots=True)
class Drift:
    """The differences between a document and a catalogue; true when there are any."""

    differences: tuple[Difference, ...]

    def __bool__(self) -> bool:
        return bool(self.differences)

    def lines(self) -> list[str]:
        """Return one line per difference, for people."""
        return [str(difference) for difference in self.differences]

    def as_document(self) -> dict[str, JSON]:
        """Return the differences as JSON, by kind."""
        kinds = ("added", "removed", "changed")
        return {kind: [one.as_document() for one in self.differences if one.kind == kind] for kind in kinds}


def compare_catalogues(before: Catalogue, after: Catalogue) -> Drift:
    """Compare two catalogues, operation by operation and definition by definition."""
    operations = _compare_operations(_index_by_wire_name(before.rows()), _index_by_wire_name(after.rows()))
    return Drift((*operations, *_compare_definitions(before.definitions(), after.definitions())))


def find_drift(document_path: Path, catalogue: Catalogue, where: str = "") -> Drift:
    """Compare a document, with the catalogue's overlays applied, to the catalogue; `where` names it in messages."""
    from connector.catalogue.importer.build import build

    overlays = catalogue.folder / "overlays"
    built = build(document_path, overlays if overlays.is_dir() else None, where)
    theirs = _index_by_wire_name(
        [area, entity, action, entry]
        for area, entities in built.areas.items()
        for entity, actions in entities.items()
        for action, entry in actions.items()
    )
    new_schemas = {name: schema for file in built.schemas.values() for name, schema in file.items()}
    operations = _compare_operations(_index_by_wire_name(catalogue.rows()), theirs)
    return Drift((*operations, *_compare_definitions(catalogue.definitions(), new_schemas)))


def _index_by_wire_name(rows: Iterator[list[JSON]]) -> dict[str, dict[str, JSON]]:
    """Return entries by method and path, each with its area and name."""
    found: dict[str, dict[str, JSON]] = {}
    for area, entity, action, entry in rows:
        method = next(key for key in METHODS if key in entry)
        fixed = "&".join(f"{name}={value}" for name, value in entry.get("fixed_query", {}).items())
        name = f"{method.upper()} {entry[method]}{'?' if fixed else ''}{fixed}"
        found[name] = {"area": area, "name": f"{entity} {action}", **entry}
    return found


def _compare_operations(
    ours: Mapping[str, dict[str, JSON]], theirs: Mapping[str, dict[str, JSON]]
) -> Iterator[Difference]:
    for name in sorted({*ours, *theirs}):
        if name not in ours:
            yield Difference("added", "operation", name, note=theirs[name]["name"])
        elif name not in theirs:
            yield Difference("removed", "operation", name, note=ours[name]["name"])
        else:
            yield from compare_entries(name, ours[name], theirs[name])


def _compare_definitions(ours: Mapping[str, JSON], theirs: Mapping[str, JSON]) -> Iterator[Difference]:
    for name in sorted({*ours, *theirs}):
        if name not in ours:
            yield Difference("added", "definition", name)
        elif name not in theirs:
            yield Difference("removed", "definition", name)
        else:
            yield from compare_schemas(name, ours[name], theirs[name])


PARAMETERS = ("path", "query", "headers")
NAMED = frozenset({"properties", "patternProperties"})


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that was added, removed or changed."""

    kind: str
    what: str
    where: str
    old: JSON = None
    new: JSON = None
    note: str = ""

    def __str__(self) -> str:
        said = f"{self.kind:<8} {self.what:<10} {self.where}"
        if self.kind == "changed":
            said += f": {_shorten(self.old)} became {_shorten(self.new)}"
        return said + (f" ({self.note})" if self.note else "")

    def as_document(self) -> dict[str, JSON]:
        """Return the difference as JSON, without empty members."""
        facts: dict[str, JSON] = {"what": self.what, "where": self.where}
        facts |= {"from": self.old, "to": self.new} if self.kind == "changed" else {}
        return facts | ({"note": self.note} if self.note else {})


def compare_entries(name: str, ours: Mapping[str, JSON], theirs: Mapping[str, JSON]) -> Iterator[Difference]:
    """Yield the differences between two entries of one operation."""
    for part in PARAMETERS:
        yield from _compare_parameters(f"{name} {part}", ours.get(part, {}), theirs.get(part, {}))
    for key in sorted({*ours, *theirs} - set(PARAMETERS)):
        if ours.get(key) != theirs.get(key):
            yield Difference("changed", "operation", f"{name} {key}", ours.get(key), theirs.get(key))


def _compare_parameters(where: str, ours: Mapping[str, JSON], theirs: Mapping[str, JSON]) -> Iterator[Difference]:
    for name in sorted({*ours, *theirs}):
        if name not in ours:
            yield Difference("added", "parameter", f"{where} {name}")
        elif name not in theirs:
            yield Difference("removed", "parameter", f"{where} {name}")
        else:
            yield from compare_schemas(f"{where} {name}", ours[name], theirs[name])


def compare_schemas(where: str, ours: JSON, theirs: JSON) -> Iterator[Difference]:
    """Yield the differences between two schemas, as deep as they correspond."""
    if ours == theirs:
        return
    if not (is_document(ours) and is_document(theirs)):
        yield Difference("changed", "schema", where, ours, theirs)
        return
    for key in sorted({*ours, *theirs}):
        if ours.get(key) != theirs.get(key):
            yield from _compare_keyword(where, key, ours.get(key), theirs.get(key))


def _compare_keyword(where: str, key: str, ours: JSON, theirs: JSON) -> Iterator[Difference]:
    if key in NAMED:
        yield from _compare_fields(where, members(ours), members(theirs))
    elif key == "enum" and is_list(ours) and is_list(theirs):
        yield from _compare_values("value", where, ours, theirs)
    elif key in ("required", FILLED):
        yield from _compare_values("required" if key == "required" else "filled", where, ours or [], theirs or [])
    elif key in ("anyOf", "allOf") and is_list(ours) and is_list(theirs):
        yield from _compare_branches(f"{where}.{key}", ours, theirs)
    elif is_document(ours) and is_document(theirs):
        yield from compare_schemas(f"{where}[]" if key == "items" else f"{where}.{key}", ours, theirs)
    else:
        yield Difference("changed", "schema", f"{where}.{key}", ours, theirs)


def _compare_fields(where: str, ours: Mapping[str, JSON], theirs: Mapping[str, JSON]) -> Iterator[Difference]:
    for name in sorted({*ours, *theirs}):
        if name not in ours:
            yield Difference("added", "field", f"{where}.{name}")
        elif name not in theirs:
            yield Difference("removed", "field", f"{where}.{name}")
        else:
            yield from compare_schemas(f"{where}.{name}", ours[name], theirs[name])


def _compare_branches(where: str, ours: Sequence[JSON], theirs: Sequence[JSON]) -> Iterator[Difference]:
    if len(ours) == len(theirs):
        for place, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from compare_schemas(f"{where}[{place}]", one, other)
    else:
        yield from _compare_values("branch", where, ours, theirs)


def _compare_values(what: str, where: str, ours: Sequence[JSON], theirs: Sequence[JSON]) -> Iterator[Difference]:
    yield from (Difference("added", what, f"{where}: {_shorten(value)}") for value in theirs if value not in ours)
    yield from (Difference("removed", what, f"{where}: {_shorten(value)}") for value in ours if value not in theirs)


def _shorten(value: JSON) -> str:
    text = orjson.dumps(value).decode()
    return text if len(text) <= 80 else f"{text[:77]}..."
