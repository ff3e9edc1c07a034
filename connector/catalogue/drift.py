"""How a document differs from a catalogue: what an import of it would add, remove and change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from connector.catalogue.differences import Difference, entry_differences, schema_differences
from connector.catalogue.notation import METHODS
from connector.model import JSON

if TYPE_CHECKING:
    from connector.catalogue.catalogue import Catalogue

__all__ = ["Drift", "drift"]


@dataclass(frozen=True, slots=True)
class Drift:
    """The differences; true when there is any."""

    differences: tuple[Difference, ...]

    def __bool__(self) -> bool:
        return bool(self.differences)

    def lines(self) -> list[str]:
        """One line a difference, for people."""
        return [str(difference) for difference in self.differences]

    def as_document(self) -> dict[str, JSON]:
        """The differences as JSON, by kind."""
        kinds = ("added", "removed", "changed")
        return {kind: [one.as_document() for one in self.differences if one.kind == kind] for kind in kinds}


def drift(document_path: Path, catalogue: Catalogue) -> Drift:
    """What differs between a document, seen through the catalogue's overlays, and the catalogue."""
    from connector.catalogue.importing.build import build

    overlays = catalogue.folder / "overlays"
    built = build(document_path, overlays if overlays.is_dir() else None)
    theirs = _by_wire_name(
        [area, entity, action, entry]
        for area, entities in built.areas.items()
        for entity, actions in entities.items()
        for action, entry in actions.items()
    )
    new_schemas = {name: schema for file in built.schemas.values() for name, schema in file.items()}
    operations = _operations(_by_wire_name(catalogue.rows()), theirs)
    return Drift((*operations, *_definitions(catalogue.definitions(), new_schemas)))


def _by_wire_name(rows: Iterator[list[JSON]]) -> dict[str, dict[str, JSON]]:
    """Every entry by method and path, with what it is called as one of its facts."""
    found: dict[str, dict[str, JSON]] = {}
    for area, entity, action, entry in rows:
        method = next(key for key in METHODS if key in entry)
        fixed = "&".join(f"{name}={value}" for name, value in entry.get("fixed_query", {}).items())
        name = f"{method.upper()} {entry[method]}{'?' if fixed else ''}{fixed}"
        found[name] = {"area": area, "name": f"{entity} {action}", **entry}
    return found


def _operations(ours: Mapping[str, dict[str, JSON]], theirs: Mapping[str, dict[str, JSON]]) -> Iterator[Difference]:
    for name in sorted({*ours, *theirs}):
        if name not in ours:
            yield Difference("added", "operation", name, note=theirs[name]["name"])
        elif name not in theirs:
            yield Difference("removed", "operation", name, note=ours[name]["name"])
        else:
            yield from entry_differences(name, ours[name], theirs[name])


def _definitions(ours: Mapping[str, JSON], theirs: Mapping[str, JSON]) -> Iterator[Difference]:
    for name in sorted({*ours, *theirs}):
        if name not in ours:
            yield Difference("added", "definition", name)
        elif name not in theirs:
            yield Difference("removed", "definition", name)
        else:
            yield from schema_differences(name, ours[name], theirs[name])
