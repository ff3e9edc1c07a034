"""What an import did: what came over, and line by line what did not, with the reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Literal

from connector.migrate.shapes import prototypes_in
from connector.model import JSON

__all__ = ["Count", "Line", "Log", "Report"]

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

    def object(self, kind: str, *, imported: bool) -> None:
        self.objects.setdefault(kind, Count()).add(imported)

    def use(self, prototype: str, *, mapped: bool) -> None:
        self.prototypes.setdefault(prototype, Count()).add(mapped)

    def mark(self) -> dict[str, Count]:
        """What has been counted so far."""
        return {name: replace(count) for name, count in self.prototypes.items()}

    def add(self, other: Report) -> None:
        """The uses of prototypes that another report counted."""
        for name, count in other.prototypes.items():
            own = self.prototypes.setdefault(name, Count())
            own.done, own.total = own.done + count.done, own.total + count.total

    def since(self, mark: dict[str, Count]) -> dict[str, int]:
        """How many uses were mapped after a mark was made."""
        new = {name: count.done - mark.get(name, Count()).done for name, count in self.prototypes.items()}
        return {name: done for name, done in new.items() if done}

    def unmap(self, uses: Mapping[str, int]) -> None:
        """What was counted as mapped has turned out not to work."""
        for name, done in uses.items():
            self.prototypes[name].done -= done

    def sort(self, files: list[str]) -> None:
        """Puts the remarks in the order of the files and their lines."""
        self.lines.sort(key=lambda line: (files.index(line.file), line.line))

    def summary(self) -> str:
        """One sentence on the whole."""
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
        """The report as Markdown."""
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
class Log:
    """A report as one object sees it."""

    report: Report
    file: str
    line: int
    object: str

    def lost(self, path: str, what: str) -> None:
        """Something does not come over."""
        self.report.lines.append(Line("lost", self.file, self.line, self.object, path, what))

    def changed(self, path: str, what: str) -> None:
        """Something is not the same as before."""
        self.report.lines.append(Line("changed", self.file, self.line, self.object, path, what))

    def mapped(self, prototype: str) -> None:
        self.report.use(prototype, mapped=True)

    def refused(self, raw: JSON, path: str, what: str) -> None:
        """Something does not come over, nor does what is inside it."""
        for name in prototypes_in(raw):
            self.report.use(name, mapped=False)
        self.lost(path, what)


def _sum(counts: dict[str, Count]) -> Count:
    return Count(sum(count.done for count in counts.values()), sum(count.total for count in counts.values()))


def _table(title: str, rows: list[tuple[str, Count]]) -> Iterator[str]:
    if rows:
        yield from (f"| {title} | imported | of |", "|---|---|---|")
        yield from (f"| {name} | {count.done} | {count.total} |" for name, count in rows)
        yield ""
