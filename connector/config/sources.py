"""The files of a configuration, read and merged into one tree."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path as File

from connector.aio.atomic_folder import restore_folder
from connector.config.findings import Finding, Path, Place, path_text
from connector.config.tree import Tree, read_text
from connector.declarations import CONFIGURATION_NAMES
from connector.errors import ConfigurationError
from connector.model import Fault, is_document

__all__ = [
    "ENDINGS",
    "SECTIONS",
    "SETTINGS",
    "catalogue_in",
    "catalogue_of",
    "configuration_in",
    "files_of",
    "folder_of",
    "folders_of",
    "read_files",
]

SECTIONS = ("clients", "incoming", "outgoing", "routes", "chains", "schedules", "storages", "variables", "prices")
"""Parts that hold named entries."""
SETTINGS = (
    "currency", "ask_above", "engine", "retention", "gateway", "studio", "mcp", "camunda", "temporal", "telemetry"
)  # fmt: skip
"""Parts that hold settings."""
PARTS = (*SECTIONS, *SETTINGS)
CATALOGUE = "entities"
"""The setting that names a catalogue, and the folder that is looked for without it: its files are no configuration."""
ENDINGS = (".yaml", ".yml", ".json")
INDEX = "index.json"
BEGINNING = 8192
"""Characters at the start of a file in which it must name its part."""
OTHER_KINDS = (".test", ".schema")
"""Endings of test cases and schemas, which may lie beside a configuration and do not belong to it."""


def configuration_in(folder: File) -> File | None:
    """Return the configuration of a folder: its connector.yaml, or the folder itself if its parts have folders."""
    for name in CONFIGURATION_NAMES:
        if (folder / name).is_file():
            return folder / name
    return folder if any(_holds_part(folder / part, part) for part in PARTS) else None


def _holds_part(folder: File, part: str) -> bool:
    """Return whether a folder named after a part holds a file with that part."""
    if not folder.is_dir():
        return False
    first = next((file for file in sorted(folder.iterdir()) if _belongs(file)), None)
    if first is None:
        return False
    with first.open(encoding="utf-8", errors="replace") as opened:
        return bool(re.search(rf'^\s*["\']?{part}["\']?\s*:', opened.read(BEGINNING), re.MULTILINE))


def files_of(source: File) -> list[File]:
    """Return the files of a configuration: the file itself, or the YAML and JSON files of a folder and of its parts."""
    if source.is_file():
        return [source]
    if not source.is_dir():
        raise ConfigurationError(f"there is no configuration at {str(source)!r}; write one, or name another with -f")
    found = sorted(
        file for folder in folders_of(source) if folder.is_dir() for file in folder.iterdir() if _belongs(file)
    )
    if not found:
        raise ConfigurationError(f"the folder {str(source)!r} holds no {', '.join(ENDINGS)} file")
    return found


def folders_of(source: File) -> list[File]:
    """Return the folders whose files belong to a configuration."""
    return [source, *(source / section for section in PARTS)]


def folder_of(source: File) -> File:
    """Return the folder in which relative names of a configuration start."""
    return source if source.is_dir() else source.parent


def catalogue_of(source: File) -> File | None:
    """Return the folder of a configuration's catalogue: the one it names, else `entities` beside it, if any."""
    files = files_of(source) if source.is_file() or configuration_in(source) else []  # it may be yet to be written
    named = next((name for file in files if (name := _named_catalogue(file))), None)
    return catalogue_in(folder_of(source), named)


def catalogue_in(folder: File, named: str | None) -> File | None:
    """Return the catalogue that a configuration in a folder names, else the one beside it, if there is any."""
    path = folder / (named or CATALOGUE)
    restore_folder(path)
    if named and not (path / INDEX).is_file():
        raise ConfigurationError(f"entities: {named!r} holds no catalogue; `entities update --into {path}` makes one")
    return path if (path / INDEX).is_file() else None


def _named_catalogue(file: File) -> str | None:
    """Return the value of `entities` in one file; what is wrong with the file is reported when it is loaded."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    if CATALOGUE not in text:
        return None
    value = read_text(text, str(file)).value
    named = value.get(CATALOGUE) if is_document(value) else None
    return named if isinstance(named, str) else None


def read_files(files: list[File], texts: Mapping[File, str] | None = None) -> Tree:
    """Merge all files into one tree; report a name that two of them give, with both places.

    Args:
        files: the files, in their order.
        texts: what some of them are taken to say, in place of what they say.
    """
    texts = texts or {}
    whole = Tree(value={}, places={(): (Place(str(files[0]), 1, 1), Place(str(files[0]), 1, 1))})
    for file in files:
        _merge(read_text(texts[file], str(file)) if file in texts else _read(file), whole)
    return whole


def _belongs(file: File) -> bool:
    hidden = file.name.startswith(".")
    return file.is_file() and file.suffix in ENDINGS and not hidden and not file.stem.endswith(OTHER_KINDS)


def _read(file: File) -> Tree:
    try:
        return read_text(file.read_text(encoding="utf-8-sig"), str(file))
    except OSError as error:
        found, allowed = f"cannot be read: {error.strerror or error}", "a file that may be read is needed"
    except UnicodeDecodeError as error:
        found, allowed = f"not UTF-8 at byte {error.start + 1}", "save it as UTF-8"
    return Tree(findings=[Finding("syntax", Place(str(file), 1, 1), Fault("", found, allowed))])


def _merge(part: Tree, whole: Tree) -> None:
    whole.findings += part.findings
    if part.value is None:
        return
    if not is_document(part.value):
        fault = Fault("", "not an object", f"a configuration has {', '.join((*PARTS, CATALOGUE))}")
        whole.findings.append(Finding("wrong-type", part.value_place(()), fault))
        return
    for section, entries in part.value.items():
        known = whole.value.get(section)
        if is_document(known) and is_document(entries) and section in PARTS:
            _merge_section(section, part, whole)
        elif section not in whole.value or known is None:
            whole.value[section] = entries
            _take_places((section,), part, whole)
        elif section in (*PARTS, CATALOGUE) and entries is not None:
            whole.findings += _report_duplicate((section,), part, whole)


def _merge_section(section: str, part: Tree, whole: Tree) -> None:
    new = {name: entry for name, entry in part.value[section].items() if name not in whole.value[section]}
    for name in part.value[section]:
        if name not in new:
            whole.findings += _report_duplicate((section, name), part, whole)
    whole.value[section] |= new
    taken = ((at, places) for at, places in part.places.items() if len(at) > 1 and at[0] == section)
    whole.places |= {at: places for at, places in taken if at[1] in new}


def _take_places(path: Path, part: Tree, whole: Tree) -> None:
    depth = len(path)
    whole.places |= {at: places for at, places in part.places.items() if at[:depth] == path}


def _report_duplicate(path: Path, part: Tree, whole: Tree) -> Iterator[Finding]:
    allowed = f"it stands at {whole.key_place(path)} already; rename or remove one of them"
    yield Finding("duplicate-name", part.key_place(path), Fault(path_text(path), "given twice", allowed))
