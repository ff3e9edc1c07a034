"""The index of a catalogue folder: all that a look-up needs, in one file that loads at once.

It is generated from the area files and holds a digest of each, so that an edit by hand is noticed; a stale index is
rebuilt in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson

from connector.catalogue.names import squeezed
from connector.catalogue.values import object_of
from connector.errors import ConfigurationError
from connector.model import JSON

__all__ = ["Index", "index_text", "read_index"]

FORMAT = 1
Index = Mapping[str, Any]
"""`operations`: [area, entity, action, entry]; `names`: every squeezed name to a place in that list."""


def read_index(folder: Path) -> tuple[Index, bool]:
    """The folder's index, and whether the one on disk was as the area files are now."""
    digests = _digests(folder)
    if not digests:
        raise ConfigurationError(f"{folder}: no catalogue here; name a folder made by `entities import`")
    try:
        index = object_of(orjson.loads((folder / "index.json").read_bytes()))
    except (OSError, orjson.JSONDecodeError):
        index = {}
    if index.get("format") == FORMAT and index.get("digests") == digests:
        return index, True
    return _made(folder, digests), False


def index_text(folder: Path) -> bytes:
    """The bytes of a folder's index: one operation a line."""
    index = _made(folder, _digests(folder))
    lines = {key: orjson.dumps(index[key], option=orjson.OPT_SORT_KEYS) for key in ("format", "digests", "names")}
    operations = b",\n".join(orjson.dumps(row) for row in index["operations"])
    head = b",\n".join(orjson.dumps(key) + b": " + value for key, value in lines.items())
    return b"{\n" + head + b',\n"operations": [\n' + operations + b"\n]\n}\n"


def _digests(folder: Path) -> dict[str, str]:
    return {path.name: blake2b(path.read_bytes(), digest_size=12).hexdigest() for path in sorted(folder.glob("*.yaml"))}


def _made(folder: Path, digests: Mapping[str, str]) -> dict[str, JSON]:
    rows = [row for file in digests for row in _rows(folder / file)]
    names: dict[str, int] = {}
    for spell in (_own_names, _verb_names, _aliases):
        for place, row in enumerate(rows):
            for name in spell(row):
                names.setdefault(name, place)
    return {"format": FORMAT, "digests": dict(digests), "names": names, "operations": rows}


def _rows(path: Path) -> Iterator[list[JSON]]:
    from connector.catalogue.notation import operation_from
    from connector.catalogue.yaml import read_yaml

    for entity, actions in object_of(read_yaml(path.read_bytes(), str(path))).items():
        for action, entry in actions.items():
            operation_from(path.stem, entity, action, entry)
            yield [path.stem, entity, action, entry]


def _own_names(row: list[JSON]) -> Iterator[str]:
    yield squeezed(f"{row[1]} {row[2]}")


def _verb_names(row: list[JSON]) -> Iterator[str]:
    if "verb" in row[3]:
        yield squeezed(f"{row[3]['on']} {row[3]['verb']}")


def _aliases(row: list[JSON]) -> Iterator[str]:
    for alias in row[3].get("aliases", []):
        yield alias if " /" in alias else squeezed(alias)
