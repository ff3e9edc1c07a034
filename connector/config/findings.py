"""What is found in a configuration: a rule, a place in a file, and a fault in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from connector.documents import member_path
from connector.errors import ConfigurationError
from connector.model import JSON, Fault

__all__ = ["Finding", "InvalidConfiguration", "Path", "Place", "Severity", "path_text"]

Path = tuple[str | int, ...]
"""The place of a value in a configuration: names of members, places in lists."""


class Severity(StrEnum):
    """How bad a finding is: a configuration with errors cannot run."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A position in a file, counted from one."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One error or warning about a configuration."""

    rule: str
    place: Place
    fault: Fault
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        warning = "warning: " if self.severity is Severity.WARNING else ""
        return f"{self.place} {warning}{self.words}"

    @property
    def words(self) -> str:
        """The finding in words, without its place in the file."""
        fault = self.fault
        parts = (fault.found, fault.allowed, fault.suggestion)
        said = "; ".join(part for part in parts if part)
        return f"{fault.where}: {said}" if fault.where else said

    def as_document(self) -> dict[str, JSON]:
        """Return the finding as JSON."""
        place, fault = self.place, self.fault
        shown: dict[str, JSON] = {"rule": self.rule, "severity": self.severity.value}
        shown |= {"file": place.file, "line": place.line, "column": place.column, "path": fault.where}
        shown |= {"found": fault.found, "allowed": fault.allowed}
        return shown | ({"suggestion": fault.suggestion} if fault.suggestion else {})

    @property
    def key(self) -> tuple[Place, str, str]:
        """The sort key: findings are in the order of the file."""
        return (self.place, self.fault.where, self.fault.found)


class InvalidConfiguration(ConfigurationError):
    """A configuration that cannot be used, with all findings."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings: Sequence[Finding] = sorted(set(findings), key=lambda finding: finding.key)
        count = "1 fault" if len(self.findings) == 1 else f"{len(self.findings)} faults"
        super().__init__("\n".join([f"configuration, {count}:", *(f"  {finding}" for finding in self.findings)]))


def path_text(path: Path) -> str:
    """Return a path as messages write it: `outgoing.classify.chain[0]`."""
    text = ""
    for step in path:
        text = member_path(text, step)
    return text.removeprefix(".")
