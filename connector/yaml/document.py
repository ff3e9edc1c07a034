"""A YAML document as it was read: plain values, where they stand, and what is wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce

from connector.documents import member_path
from connector.model import JSON

__all__ = ["Path", "Spot", "YamlDocument", "YamlFault"]

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a text, counted from one."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class YamlFault:
    """One thing in a text that is no JSON, or no YAML."""

    rule: str
    spot: Spot
    path: Path
    found: str
    allowed: str

    def __str__(self) -> str:
        where = reduce(member_path, self.path, "").removeprefix(".")
        said = f"{where}: {self.found}" if where else self.found
        return f"line {self.spot.line}, column {self.spot.column}: {said}; {self.allowed}"


@dataclass(slots=True)
class YamlDocument:
    """Plain values, and for each path the place of its key (of a list's item, the item itself) and of its value."""

    value: JSON = None
    places: dict[Path, tuple[Spot, Spot]] = field(default_factory=dict[Path, tuple[Spot, Spot]])
    faults: list[YamlFault] = field(default_factory=list[YamlFault])
