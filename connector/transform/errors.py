"""How a document leaves a chain before its end, and what is wrong with a chain itself.

Exception
├── Skipped               a filter dropped the document: nothing is wrong
└── ConnectorError
    ├── Failed            a step could not do its work on this document; names the step
    ├── Unfit             why, as the step says it; becomes Failed, with the place of the step
    │   └── NotYet        the same, of a document that may fare better later
    └── InvalidChain      steps that cannot work as they are written; carries every fault
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from connector.documents import member_path
from connector.errors import ConfigurationError, ConnectorError
from connector.model import Fault

__all__ = ["ChainFault", "Failed", "InvalidChain", "KeyPath", "NotYet", "Skipped", "Unfit", "format_key_path"]

KeyPath = tuple[str | int, ...]
"""The keys and positions that lead to a value."""


def format_key_path(place: KeyPath) -> str:
    """Return a path of keys as messages write it: `chain[2].filters[0]`."""
    if not place:
        return ""
    path = str(place[0])
    for key in place[1:]:
        path = member_path(path, key)
    return path


@dataclass(frozen=True, slots=True)
class ChainFault(Fault):
    """One thing wrong with a chain, with its place as keys, so that a file's line can be found."""

    place: KeyPath = ()


class Unfit(ConnectorError):
    """Why a step cannot work on a value."""


class NotYet(Unfit):
    """Why a step cannot work on a value for now; on a route it is tried again."""


class Failed(ConnectorError):
    """A step that could not do its work on a document; others go on."""

    def __init__(self, where: str, reason: str, *, passes: bool = False) -> None:
        self.where = where
        self.reason = reason
        self.passes = passes
        super().__init__(f"{where}: {reason}")


class Skipped(Exception):
    """A document that a filter dropped; without a place, the step that raises it is the filter."""

    def __init__(self, where: str, reason: str) -> None:
        self.where = where
        self.reason = reason
        super().__init__(f"{where}: {reason}")


class InvalidChain(ConfigurationError):
    """Steps that cannot work as they are written."""

    def __init__(self, faults: Sequence[ChainFault]) -> None:
        self.faults = tuple(faults)
        count = "1 fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
        super().__init__("\n".join([f"the chain has {count}:", *(f"  {fault}" for fault in self.faults)]))
