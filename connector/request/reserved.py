"""The connector's own files, which no document may name."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

__all__ = ["NOTHING", "Reserved"]

COMPANIONS = (".", "-", " ")
"""What follows a database's name in the names of its log, its lock and its copies, or is dropped by some systems."""


class Reserved:
    """Files of the configuration, its secrets, its tasks and what was spent; and folders that are read whole.

    Args:
        files: paths of files that are there, or may come to be.
        folders: folders in which each file of these endings would be read as configuration.
        endings: of such files.
    """

    def __init__(
        self, files: Iterable[str | Path] = (), folders: Iterable[str | Path] = (), endings: tuple[str, ...] = ()
    ) -> None:
        self._files = tuple(files)
        self._given_folders = tuple(folders)
        self._endings = endings

    def holds(self, path: str) -> bool:
        """Whether a path leads to one of these, by a link, or where case is folded, as well."""
        if not self._files:
            return False
        real = _real(path)
        if any(real == name or (real.startswith(name) and real[len(name)] in COMPANIONS) for name in self._names):
            return True
        folder, _, name = real.rpartition(os.sep)
        return (folder in self._folders and name.endswith(self._endings)) or self._is_linked(path)

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return tuple(_real(file) for file in self._files)

    @cached_property
    def _folders(self) -> frozenset[str]:
        return frozenset(_real(folder) for folder in self._given_folders)

    def _is_linked(self, path: str) -> bool:
        """Whether a file has another name among these: a hard link."""
        try:
            found = Path(path).stat()
        except (OSError, ValueError):
            return False
        return found.st_nlink > 1 and any(_is(file, found) for file in self._files)


NOTHING = Reserved()


def _real(path: str | Path) -> str:
    return os.path.realpath(os.path.expanduser(path)).casefold()  # noqa: PTH111  of users that do not exist, too


def _is(file: str | Path, found: os.stat_result) -> bool:
    try:
        return os.path.samestat(Path(file).stat(), found)
    except OSError:
        return False
