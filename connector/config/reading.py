"""One file of a configuration: YAML 1.2 or JSON as plain values, with the place of each in the file."""

from __future__ import annotations

from dataclasses import dataclass, field

from connector.config.findings import Finding, Path, Place, path_text
from connector.model import JSON, Fault
from connector.yaml import Spot, read_document

__all__ = ["Tree", "read_text"]


@dataclass(slots=True)
class Tree:
    """Plain values and where they stand."""

    value: JSON = None
    places: dict[Path, tuple[Place, Place]] = field(default_factory=dict[Path, tuple[Place, Place]])
    """For each path the place of its key (of a list's item, the item itself) and of its value."""
    findings: list[Finding] = field(default_factory=list[Finding])

    def key_place(self, path: Path) -> Place:
        """Where a member's name stands, or what is nearest to it."""
        return self._nearest(path)[0]

    def value_place(self, path: Path) -> Place:
        """Where a value stands, or what is nearest to it."""
        return self._nearest(path)[1]

    def _nearest(self, path: Path) -> tuple[Place, Place]:
        while path not in self.places and path:
            path = path[:-1]
        return self.places.get(path, (Place("", 1, 1), Place("", 1, 1)))


def read_text(text: str, file: str) -> Tree:
    """The values of a text, and everything in it that is no JSON."""
    # JSON is YAML once its tabs, which only indent, are blanks.
    document = read_document(text.replace("\t", " ") if file.endswith(".json") else text)
    places = {path: (_place(key, file), _place(value, file)) for path, (key, value) in document.places.items()}
    findings = [
        Finding(fault.rule, _place(fault.spot, file), Fault(path_text(fault.path), fault.found, fault.allowed))
        for fault in document.faults
    ]
    return Tree(document.value, places, findings)


def _place(spot: Spot, file: str) -> Place:
    return Place(file, spot.line, spot.column)
