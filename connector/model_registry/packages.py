"""The Python files of a wheel, or of a folder that one was unpacked into, read as data and within bounds."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from connector.errors import ConfigurationError

__all__ = ["LARGEST_FILE", "LARGEST_PACKAGE", "MOST_FILES", "read_package"]

LARGEST_FILE = 8 * 2**20
LARGEST_PACKAGE = 128 * 2**20
MOST_FILES = 20_000
"""Bounds on what is read, unpacked: a small archive can claim, or hold, more than there is memory for."""


def read_package(source: Path, package: str) -> dict[str, str]:
    """Return the text of each Python file of a package by its path, such as `openai/types/shared.py`."""
    found: dict[str, str] = {}
    total = 0
    try:
        for name, data in _folder_files(source, package) if source.is_dir() else _wheel_files(source, package):
            total += len(data)
            if total > LARGEST_PACKAGE or len(found) >= MOST_FILES:
                large = f"more than {LARGEST_PACKAGE // 2**20} MB or {MOST_FILES} files"
                raise ConfigurationError(f"{source}: {large}; is it {package}? {_advise(source)}")
            found[name] = data.decode("utf-8")
    except (OSError, BadZipFile, zlib.error, EOFError, UnicodeDecodeError, NotImplementedError, RuntimeError) as error:
        raise ConfigurationError(f"{source}: no wheel or folder of {package}: {error}; {_advise(source)}") from error
    if not found:
        said = f"no wheel or folder of {package}: no Python file of it is there"
        raise ConfigurationError(f"{source}: {said}; {_advise(source)}")
    return found


def _advise(source: Path) -> str:
    """Say what to do about a source that cannot be read."""
    if source.name.endswith((".tar.gz", ".tgz")):
        return "a source distribution is unpacked first, and its folder named"
    return "fetch it again, or name a version, a wheel or the folder of an unpacked one"


def _folder_files(source: Path, package: str) -> Iterator[tuple[str, bytes]]:
    roots = [source, source / "src", *([source.parent] if source.name == package else [])]
    root = next((each for each in roots if (each / package).is_dir()), source)
    for path in sorted(root.glob(f"{package}/**/*.py")):
        if not path.is_file():
            continue
        if path.stat().st_size > LARGEST_FILE:
            raise ConfigurationError(f"{path}: more than {LARGEST_FILE // 2**20} MB; {_advise(source)}")
        yield path.relative_to(root).as_posix(), path.read_bytes()


def _wheel_files(source: Path, package: str) -> Iterator[tuple[str, bytes]]:
    with ZipFile(source) as wheel:
        for name in sorted(wheel.namelist()):
            if ".." in name.split("/") or name.startswith("/"):
                raise ConfigurationError(f"{source}: {name!r} in it leads outside; {_advise(source)}")
            if name.startswith(f"{package}/") and name.endswith(".py"):
                with wheel.open(name) as file:  # what an archive says of its sizes may not be true
                    data = file.read(LARGEST_FILE + 1)
                if len(data) > LARGEST_FILE:
                    large = f"more than {LARGEST_FILE // 2**20} MB"
                    raise ConfigurationError(f"{source}: {name}: {large}; {_advise(source)}")
                yield name, data
