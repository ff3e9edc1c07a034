"""Which files a request may name."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit

__all__ = ["ANYWHERE", "NOTHING", "Reserved", "Roots"]

COMPANIONS = (".", "-", " ")
"""What follows a database's name in the names of its log, its lock and its copies, or is dropped by some systems."""
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+(?=://|::)")
LOCAL = ("file", "local")
CONTROL = re.compile("[\\x00-\\x1f\\x7f\\ud800-\\udfff]")
OF_LOCAL = re.compile(r"(?i)(?:file|local):(?!//)")
"""What fsspec takes for a path of this machine, behind another layer."""
CACHES = ("simplecache", "filecache", "blockcache", "cached")
ARCHIVES = ("zip", "tar")


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
        """Return whether a path leads to one of these, by a link, or where case is folded, as well."""
        if not self._files:
            return False
        real = _resolve(path)
        if any(real == name or (real.startswith(name) and real[len(name)] in COMPANIONS) for name in self._names):
            return True
        folder, _, name = real.rpartition(os.sep)
        return (folder in self._folders and name.endswith(self._endings)) or self._is_linked(path)

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return tuple(_resolve(file) for file in self._files)

    @cached_property
    def _folders(self) -> frozenset[str]:
        return frozenset(_resolve(folder) for folder in self._given_folders)

    def _is_linked(self, path: str) -> bool:
        """Return whether a file has another name among these: a hard link."""
        try:
            found = Path(path).stat()
        except (OSError, ValueError):
            return False
        return found.st_nlink > 1 and any(_is_same(file, found) for file in self._files)


NOTHING = Reserved()


def _resolve(path: str | Path) -> str:
    return os.path.realpath(os.path.expanduser(path)).casefold()  # noqa: PTH111  of users that do not exist, too


def _is_same(file: str | Path, found: os.stat_result) -> bool:
    try:
        return os.path.samestat(Path(file).stat(), found)
    except OSError:
        return False


class Roots:
    """Folders and URL prefixes that files may come from; with none, they may come from anywhere.

    Args:
        allowed: the folders and prefixes.
        reserved: files below them that are the connector's own.
    """

    def __init__(self, allowed: Sequence[str | os.PathLike[str]] = (), reserved: Reserved = NOTHING) -> None:
        self._reserved = reserved
        self._names = [os.fspath(root) for root in allowed]

    @cached_property
    def _urls(self) -> list[str]:
        return [name.rstrip("/") for name in self._names if self.local(name) is None]

    @cached_property
    def _folders(self) -> list[str]:
        return [os.path.realpath(path) for name in self._names if (path := self.local(name)) is not None]

    def local(self, name: str) -> str | None:
        """Return the path that a name means on this machine; nothing for a URL of elsewhere."""
        scheme = SCHEME.match(name)
        if scheme is None:
            return name
        return unquote(name[len(scheme[0]) + 3 :]) if scheme[0].lower() in LOCAL and "::" not in name else None

    def refusal(self, name: str) -> str | None:
        """Return what is allowed instead, when a file of that name is not."""
        if not _is_writable(name):
            return "a name without control characters, in UTF-8, is allowed"
        *outer, inner = name.split("::")
        if outer:
            inner = OF_LOCAL.sub("", inner)
        own = self.local(inner)
        if own is not None and self._reserved.holds(own):
            return "this one belongs to the connector itself: its configuration, secrets or tasks"
        # Any other layer may join a folder of this machine with a name that was not looked at.
        layers = ARCHIVES if self._names else (*ARCHIVES, *CACHES)
        if not inner or any(
            SCHEME.match(layer + "::") is None or layer.split("://")[0] not in layers for layer in outer
        ):
            allowed = ", ".join(f"{layer}://" if layer in ARCHIVES else f"{layer}::" for layer in layers)
            return f"only {allowed} may stand before '::', and a path or URL behind it"
        if not self._names:
            return None
        path = self.local(inner)
        if self._allows_path(path) if path is not None else self._allows_url(inner):
            return None
        return f"files below {', '.join([*self._folders, *self._urls])} are allowed"

    def _allows_path(self, path: str) -> bool:
        # The real path is judged: neither `..` nor a link leads out.
        real = Path(os.path.realpath(os.path.expanduser(path)))  # noqa: PTH111  of users that do not exist, too
        return any(real.is_relative_to(folder) for folder in self._folders)

    def _allows_url(self, url: str) -> bool:
        parts = urlsplit(url)
        if ".." in re.split(r"[/\\]", unquote(unquote(parts.path))) or "\\" in url or parts.username is not None:
            return False
        return any(url == root or url.startswith(root + "/") for root in self._urls)


def _is_writable(name: str) -> bool:
    """Return whether a system can have a file of this name, and a terminal show it."""
    return CONTROL.search(name) is None


ANYWHERE = Roots()
"""Files may come from everywhere."""
