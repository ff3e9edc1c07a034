"""What differs between two entries, or two schemas, of the same name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import orjson

from connector.catalogue.schemas import FILLED
from connector.model import JSON, is_document, is_list
from connector.shapes import members

__all__ = ["Difference", "entry_differences", "schema_differences"]

PARAMETERS = ("path", "query", "headers")
NAMED = frozenset({"properties", "patternProperties"})


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing added, removed or changed: what kind of thing, where, and from what to what."""

    kind: str
    what: str
    where: str
    old: JSON = None
    new: JSON = None
    note: str = ""

    def __str__(self) -> str:
        said = f"{self.kind:<8} {self.what:<10} {self.where}"
        if self.kind == "changed":
            said += f": {_short(self.old)} became {_short(self.new)}"
        return said + (f" ({self.note})" if self.note else "")

    def as_document(self) -> dict[str, JSON]:
        """The difference as JSON, without what is empty."""
        facts: dict[str, JSON] = {"what": self.what, "where": self.where}
        facts |= {"from": self.old, "to": self.new} if self.kind == "changed" else {}
        return facts | ({"note": self.note} if self.note else {})


def entry_differences(name: str, ours: Mapping[str, JSON], theirs: Mapping[str, JSON]) -> Iterator[Difference]:
    """What differs between two entries of one operation."""
    for part in PARAMETERS:
        yield from _parameters(f"{name} {part}", ours.get(part, {}), theirs.get(part, {}))
    for key in sorted({*ours, *theirs} - set(PARAMETERS)):
        if ours.get(key) != theirs.get(key):
            yield Difference("changed", "operation", f"{name} {key}", ours.get(key), theirs.get(key))


def _parameters(where: str, ours: Mapping[str, JSON], theirs: Mapping[str, JSON]) -> Iterator[Difference]:
    for name in sorted({*ours, *theirs}):
        if name not in ours:
            yield Difference("added", "parameter", f"{where} {name}")
        elif name not in theirs:
            yield Difference("removed", "parameter", f"{where} {name}")
        else:
            yield from schema_differences(f"{where} {name}", ours[name], theirs[name])


def schema_differences(where: str, ours: JSON, theirs: JSON) -> Iterator[Difference]:
    """What differs between two schemas, as deep as they can be laid side by side."""
    if ours == theirs:
        return
    if not (is_document(ours) and is_document(theirs)):
        yield Difference("changed", "schema", where, ours, theirs)
        return
    for key in sorted({*ours, *theirs}):
        if ours.get(key) != theirs.get(key):
            yield from _keyword(where, key, ours.get(key), theirs.get(key))


def _keyword(where: str, key: str, ours: JSON, theirs: JSON) -> Iterator[Difference]:
    if key in NAMED:
        yield from _fields(where, members(ours), members(theirs))
    elif key == "enum" and is_list(ours) and is_list(theirs):
        yield from _values("value", where, ours, theirs)
    elif key in ("required", FILLED):
        yield from _values("required" if key == "required" else "filled", where, ours or [], theirs or [])
    elif key in ("anyOf", "allOf") and is_list(ours) and is_list(theirs):
        yield from _branches(f"{where}.{key}", ours, theirs)
    elif is_document(ours) and is_document(theirs):
        yield from schema_differences(f"{where}[]" if key == "items" else f"{where}.{key}", ours, theirs)
    else:
        yield Difference("changed", "schema", f"{where}.{key}", ours, theirs)


def _fields(where: str, ours: Mapping[str, JSON], theirs: Mapping[str, JSON]) -> Iterator[Difference]:
    for name in sorted({*ours, *theirs}):
        if name not in ours:
            yield Difference("added", "field", f"{where}.{name}")
        elif name not in theirs:
            yield Difference("removed", "field", f"{where}.{name}")
        else:
            yield from schema_differences(f"{where}.{name}", ours[name], theirs[name])


def _branches(where: str, ours: Sequence[JSON], theirs: Sequence[JSON]) -> Iterator[Difference]:
    if len(ours) == len(theirs):
        for place, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from schema_differences(f"{where}[{place}]", one, other)
    else:
        yield from _values("branch", where, ours, theirs)


def _values(what: str, where: str, ours: Sequence[JSON], theirs: Sequence[JSON]) -> Iterator[Difference]:
    yield from (Difference("added", what, f"{where}: {_short(value)}") for value in theirs if value not in ours)
    yield from (Difference("removed", what, f"{where}: {_short(value)}") for value in ours if value not in theirs)


def _short(value: JSON) -> str:
    text = orjson.dumps(value).decode()
    return text if len(text) <= 80 else f"{text[:77]}..."
