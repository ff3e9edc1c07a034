"""The report of an import: what was imported, and line by line what was not, with the reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Literal

from connector.model import JSON, is_list, is_object

__all__ = ["Count", "Line", "ObjectLog", "Report", "prototypes_in"]

Level = Literal["lost", "changed"]


@dataclass(frozen=True, slots=True)
class Line:
    """One remark: something that was lost, or that is not the same as before."""

    level: Level
    file: str
    line: int
    object: str
    """The kind and the identifier, or nothing when the line could not be read so far."""
    path: str
    """Where in the object."""
    what: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{' '.join(part for part in (where, self.object, self.path) if part)}: {self.what}"


@dataclass(slots=True)
class Count:
    """How many of something there were, and how many came over."""

    done: int = 0
    total: int = 0

    def add(self, done: bool) -> None:
        self.total += 1
        self.done += done


@dataclass(slots=True)
class Report:
    """The outcome of an import."""

    lines: list[Line] = field(default_factory=list[Line])
    objects: dict[str, Count] = field(default_factory=dict[str, Count])
    """By type: how many were imported."""
    prototypes: dict[str, Count] = field(default_factory=dict[str, Count])
    """By prototype: how many of its uses were mapped."""
    files: list[str] = field(default_factory=list[str])
    """What was written."""

    @property
    def lost(self) -> int:
        return sum(line.level == "lost" for line in self.lines)

    def count_object(self, kind: str, *, imported: bool) -> None:
        self.objects.setdefault(kind, Count()).add(imported)

    def count_use(self, prototype: str, *, mapped: bool) -> None:
        self.prototypes.setdefault(prototype, Count()).add(mapped)

    def copy_uses(self) -> dict[str, Count]:
        """Return a copy of the counts of uses."""
        return {name: replace(count) for name, count in self.prototypes.items()}

    def add_uses(self, other: Report) -> None:
        """Add the uses of prototypes that another report counted."""
        for name, count in other.prototypes.items():
            own = self.prototypes.setdefault(name, Count())
            own.done, own.total = own.done + count.done, own.total + count.total

    def uses_since(self, mark: dict[str, Count]) -> dict[str, int]:
        """Return how many uses were mapped since the counts were copied."""
        new = {name: count.done - mark.get(name, Count()).done for name, count in self.prototypes.items()}
        return {name: done for name, done in new.items() if done}

    def uncount_uses(self, uses: Mapping[str, int]) -> None:
        """Take back uses that were counted as mapped and do not work."""
        for name, done in uses.items():
            self.prototypes[name].done -= done

    def sort_lines(self, files: list[str]) -> None:
        """Sort the remarks by file and line."""
        self.lines.sort(key=lambda line: (files.index(line.file), line.line))

    def summary(self) -> str:
        """Return the report in one sentence."""
        objects, uses = _sum(self.objects), _sum(self.prototypes)
        share = f" ({100 * uses.done / uses.total:.1f} %)" if uses.total else ""
        return (
            f"{objects.done} of {objects.total} objects imported, {uses.done} of {uses.total} uses of prototypes "
            f"mapped{share}, {self.lost} remarks on what was lost, {len(self.lines) - self.lost} on what has changed"
        )

    def as_document(self) -> dict[str, JSON]:
        return {
            "summary": self.summary(),
            "objects": {name: asdict(count) for name, count in sorted(self.objects.items())},
            "prototypes": {name: asdict(count) for name, count in self._by_use()},
            "lines": [asdict(line) for line in self.lines],
            "files": list(self.files),
        }

    def text(self) -> Iterator[str]:
        """Yield the lines of the report as Markdown."""
        yield from ("# Import report", "", f"{self.summary()}.", "")
        for level, title in (("lost", "Not carried over"), ("changed", "Carried over, with a difference")):
            found = [line for line in self.lines if line.level == level]
            if found:
                yield from (f"## {title}", "", *(f"- {line}" for line in found), "")
        yield from _table("type", sorted(self.objects.items()))
        yield from _table("prototype", self._by_use())

    def _by_use(self) -> list[tuple[str, Count]]:
        return sorted(self.prototypes.items(), key=lambda item: (-item[1].total, item[0]))


@dataclass(frozen=True, slots=True)
class ObjectLog:
    """The remarks on one object."""

    report: Report
    file: str
    line: int
    object: str

    def add_lost(self, path: str, what: str) -> None:
        """Remark on something that is not imported."""
        self.report.lines.append(Line("lost", self.file, self.line, self.object, path, what))

    def add_changed(self, path: str, what: str) -> None:
        """Remark on something that is imported with a difference."""
        self.report.lines.append(Line("changed", self.file, self.line, self.object, path, what))

    def count_mapped(self, prototype: str) -> None:
        self.report.count_use(prototype, mapped=True)

    def add_refused(self, raw: JSON, path: str, what: str) -> None:
        """Remark on something that is not imported, nor what is inside it."""
        for name in prototypes_in(raw):
            self.report.count_use(name, mapped=False)
        self.add_lost(path, what)


def prototypes_in(value: JSON) -> Iterator[str]:
    """Yield the name of every prototype that is used in a value."""
    todo = [value]
    while todo:
        item = todo.pop()
        if is_object(item):
            if isinstance(item.get("prototype"), str):
                yield item["prototype"]
            todo.extend(item.values())
        elif is_list(item):
            todo.extend(item)


def _sum(counts: dict[str, Count]) -> Count:
    return Count(sum(count.done for count in counts.values()), sum(count.total for count in counts.values()))


def _table(title: str, rows: list[tuple[str, Count]]) -> Iterator[str]:
    if rows:
        yield from (f"| {title} | imported | of |", "|---|---|---|")
        yield from (f"| {name} | {count.done} | {count.total} |" for name, count in rows)
        yield ""
