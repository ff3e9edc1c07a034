"""The index of a catalogue folder: all that a lookup needs, in one file that loads at once.

It is generated from the area files and holds a digest of each, so that an edit by hand is noticed; a stale index is
rebuilt in memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson

from connector.errors import ConfigurationError
from connector.model import JSON, members

__all__ = ["Index", "format_index", "normalize_name", "read_index"]

FORMAT = 1
OPERATIONS = b'"operations": ['
Index = Mapping[str, object]
"""`operations`: [area, entity, action, entry]; `names`: every normalized name to a position in that list."""


def read_index(folder: Path) -> tuple[Index, bool]:
    """Return a folder's index, and whether the one on disk is up to date."""
    if not any(folder.glob("*.yaml")):
        raise ConfigurationError(f"{folder}: no catalogue here; name a folder made by `entities import`")
    try:
        path = folder / "index.json"
        head, rows = path.read_bytes().split(OPERATIONS, 1)
        index = members(orjson.loads(head + OPERATIONS + b"]}"))
        if index.get("format") == FORMAT and _is_current(folder, index["digests"], path.stat().st_mtime_ns):
            return {**index, "operations": Rows(rows.strip().split(b"\n")[:-2])}, True
    except (OSError, ValueError, KeyError):
        pass
    return _build_index(folder, _compute_digests(folder)), False


def _is_current(folder: Path, digests: Mapping[str, str], written: int) -> bool:
    """Return whether the index was made from these area files; a file older than the index is not read again."""
    files = {path.name: path for path in folder.glob("*.yaml")}
    return files.keys() == digests.keys() and all(
        path.stat().st_mtime_ns < written or _compute_digest(path) == digests[name] for name, path in files.items()
    )


class Rows(Sequence[Any]):
    """The operations of an index; each is parsed when it is accessed, as a call needs one of hundreds."""

    def __init__(self, lines: Sequence[bytes]) -> None:
        self._lines: Sequence[bytes] = lines
        self._parsed: dict[int, Any] = {}

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, place: Any) -> Any:
        if place not in self._parsed:
            self._parsed[place] = orjson.loads(self._lines[int(place)].removesuffix(b","))
        return self._parsed[place]


def format_index(folder: Path) -> bytes:
    """Format the index of a folder, one operation per line."""
    index = _build_index(folder, _compute_digests(folder))
    lines = {key: orjson.dumps(index[key], option=orjson.OPT_SORT_KEYS) for key in ("format", "digests", "names")}
    operations = b",\n".join(orjson.dumps(row) for row in index["operations"])
    head = b",\n".join(orjson.dumps(key) + b": " + value for key, value in lines.items())
    return b"{\n" + head + b",\n" + OPERATIONS + b"\n" + operations + b"\n]\n}\n"


def _compute_digests(folder: Path) -> dict[str, str]:
    return {path.name: _compute_digest(path) for path in sorted(folder.glob("*.yaml"))}


def _compute_digest(path: Path) -> str:
    return blake2b(path.read_bytes(), digest_size=12).hexdigest()


def _build_index(folder: Path, digests: Mapping[str, str]) -> dict[str, JSON]:
    rows = [row for file in digests for row in _read_rows(folder / file)]
    names: dict[str, int] = {}
    for spell in (_list_own_names, _list_verb_names, _list_aliases):
        for place, row in enumerate(rows):
            for name in spell(row):
                names.setdefault(name, place)
    return {"format": FORMAT, "digests": dict(digests), "names": names, "operations": rows}


def _read_rows(path: Path) -> Iterator[list[JSON]]:
    from connector.catalogue.operation import parse_operation
    from connector.yaml import read_yaml

    for entity, actions in members(read_yaml(path.read_bytes(), str(path))).items():
        for action, entry in actions.items():
            parse_operation(path.stem, entity, action, entry)
            yield [path.stem, entity, action, entry]


def _list_own_names(row: list[JSON]) -> Iterator[str]:
    yield normalize_name(f"{row[1]} {row[2]}")


def _list_verb_names(row: list[JSON]) -> Iterator[str]:
    if "verb" in row[3]:
        yield normalize_name(f"{row[3]['on']} {row[3]['verb']}")


def _list_aliases(row: list[JSON]) -> Iterator[str]:
    for alias in row[3].get("aliases", []):
        yield alias if " /" in alias else normalize_name(alias)


def normalize_name(name: str) -> str:
    """Return a name without case and separators: `Chat-Completions`, `chat.completions`, `chatCompletions` are one."""
    return re.sub(r"[\W_]+", "", name).lower()
