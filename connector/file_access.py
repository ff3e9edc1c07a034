"""The files that a configuration names: relative to its folder, and below its roots when documents have a say."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from connector.errors import ConfigurationError
from connector.request.file_access import NOTHING, Reserved, Roots

__all__ = ["FileAccess", "is_local", "suffix_of"]

VARIES = re.compile(r"[*?\[]|\\?[&?@]\{")
"""What begins the part of a configured name that files, documents or chains decide."""


@dataclass(frozen=True, slots=True)
class FileAccess:
    """Where the names of one connection may lead."""

    folder: Path
    roots: Sequence[str]
    reserved: Reserved = NOTHING
    constant: str = ""
    """The part of the configured name that documents have no say in."""

    @classmethod
    def of(cls, folder: Path, configured: str, roots: Sequence[str] = (), reserved: Reserved = NOTHING) -> FileAccess:
        """The places of a configured name: its roots, or else the folder in which its constant part ends.

        Args:
            folder: where relative names start.
            configured: the name, with its placeholders.
            roots: folders and URLs below which every file must lie.
            reserved: files of the connector's own.
        """
        below = tuple(_below(folder, root) for root in roots or [_constant_folder(configured)])
        return cls(folder, below, reserved, _constant(configured))

    def find(self, name: str) -> str:
        """The path or URL that a name stands for; one that leads out of the roots is refused."""
        found = _below(self.folder, name)
        allowed = Roots(self.roots, self.reserved).refusal(found)
        if allowed is not None:
            raise ConfigurationError(f"the file {name[:200]!r} is outside the allowed places; {allowed}")
        path = Roots().local(found)
        if path is None:
            return found
        if self._is_hidden(name):
            raise ConfigurationError(f"the file {name[:200]!r} is a hidden one, which no document may name")
        return path

    def _is_hidden(self, name: str) -> bool:
        """Whether what a document adds to the configured name leads to a hidden file or folder."""
        added = name.removeprefix(self.constant)
        begins = self.constant == "" or self.constant.endswith("/") or added == name
        parts = added.split("/")
        return any(part.startswith(".") and part.strip(".") for part in (parts if begins else parts[1:]))


def is_local(name: str) -> bool:
    """Whether a name is a path of this machine."""
    return Roots().local(name) is not None


def suffix_of(name: str) -> str:
    """The ending that tells a file's format, without the one that tells its compression."""
    name = name.rpartition("::")[0] or name if "::" in name else name
    endings = [ending.lower() for ending in Path(name.partition("?")[0] if "://" in name else name).suffixes]
    while endings and endings[-1] in (".gz", ".bz2", ".xz", ".zst", ".lz4", ".zip"):
        endings.pop()
    return endings[-1] if endings else ""


def _constant(configured: str) -> str:
    varies = VARIES.search(configured)
    return configured[: varies.start()] if varies else configured


def _constant_folder(configured: str) -> str:
    constant = _constant(configured)
    folder = constant.rpartition("/")[0]
    return folder or ("/" if constant.startswith("/") else ".")


def _below(folder: Path, name: str) -> str:
    """A relative path as one that starts at a folder; URLs and absolute paths as they are."""
    if not is_local(name) or "::" in name:
        return name
    path = Roots().local(name) or ""
    return os.path.join(folder, os.path.expanduser(path))  # noqa: PTH111, PTH118  keeps a trailing `..` for the roots
