"""The files that a configuration may name: relative to its folder, and below its roots where documents choose names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from connector.errors import ConfigurationError
from connector.offline import is_offline
from connector.request.file_access import NOTHING, Reserved, Roots
from connector.request.sources import open_filesystem

__all__ = ["FileAccess", "is_local", "suffix_of"]

GLOB = frozenset("*?[")
VARIES = re.compile(r"[*?\[]|\\?[&?@]\{")
"""What begins the part of a configured name that files, documents or chains choose."""


@dataclass(frozen=True, slots=True)
class FileAccess:
    """The files that one connection may reach."""

    folder: Path
    roots: Sequence[str]
    reserved: Reserved = NOTHING
    constant: str = ""
    """The part of the configured name that documents do not choose."""

    @classmethod
    def of(cls, folder: Path, configured: str, roots: Sequence[str] = (), reserved: Reserved = NOTHING) -> FileAccess:
        """Return the access of a configured name: below its roots, or else below the folder of its constant part.

        Args:
            folder: where relative names start.
            configured: the name, with its placeholders.
            roots: folders and URLs below which every file must lie.
            reserved: files of the connector's own.
        """
        below = tuple(_below(folder, root) for root in roots or [_constant_folder(configured)])
        return cls(folder, below, reserved, _constant(configured))

    def resolve(self, name: str) -> str:
        """Return the path or URL of a name; raise ConfigurationError when it leads out of the roots."""
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

    def list_files(self, url: str) -> Iterator[str]:
        """Yield the files that a URL with wildcards means, in the order of their names.

        Each is checked by itself, since a link may lead anywhere. Offline, a remote pattern is kept as it is.
        """
        whole = self.resolve(url)
        if GLOB.isdisjoint(url) or (is_offline() and not is_local(whole)):
            yield whole
            return
        system, pattern = open_filesystem(whole)
        for path in sorted(system.glob(pattern)):
            if system.isdir(path):
                continue
            # A remote filesystem has no links out of the folder.
            yield self.resolve(path) if is_local(whole) else str(system.unstrip_protocol(path))

    def _is_hidden(self, name: str) -> bool:
        """Return whether what a document adds to the configured name leads to a hidden file or folder."""
        added = name.removeprefix(self.constant)
        begins = self.constant == "" or self.constant.endswith("/") or added == name
        parts = added.split("/")
        return any(part.startswith(".") and part.strip(".") for part in (parts if begins else parts[1:]))


@lru_cache(1000)
def is_local(name: str) -> bool:
    """Return whether a name is a path of this machine."""
    return Roots().local(name) is not None


def suffix_of(name: str) -> str:
    """Return the suffix that names a file's format, without the one of its compression."""
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
    """Return a relative path below a folder, URLs and absolute paths as they are."""
    if not is_local(name) or "::" in name:
        return name
    path = Roots().local(name) or ""
    return os.path.join(folder, os.path.expanduser(path))  # noqa: PTH111, PTH118  keeps a trailing `..` for the roots
