"""Writing a catalogue folder so that it reads, and differs, as if written by hand."""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import orjson

from connector.catalogue.importing.entries import Areas
from connector.catalogue.index import index_text
from connector.model import JSON, is_document, is_list

__all__ = ["area_text", "definitions_text", "write_catalogue"]

WIDTH = 120


def definitions_text(schemas: Mapping[str, JSON]) -> bytes:
    """A JSON object with one definition a line, in the order of their names."""
    written = {name: orjson.dumps(schemas[name], option=orjson.OPT_SORT_KEYS) for name in sorted(schemas)}
    return b"{\n" + b",\n".join(orjson.dumps(name) + b": " + text for name, text in written.items()) + b"\n}\n"


def area_text(entities: Mapping[str, Mapping[str, Mapping[str, JSON]]]) -> bytes:
    """An area's YAML: operations as blocks, what fits a line in flow style."""
    from ruamel.yaml import YAML

    yaml: Any = YAML()  # the library has no types for what it dumps
    yaml.width = 4096
    stream = StringIO()
    blocks = {
        entity: {action: _block(entry) for action, entry in actions.items()} for entity, actions in entities.items()
    }
    yaml.dump(blocks, stream)
    return stream.getvalue().encode()


def _block(entry: Mapping[str, JSON]) -> Any:
    from ruamel.yaml.comments import CommentedMap

    block = CommentedMap()
    for key, value in entry.items():
        block[key] = _block(value) if _too_long(key, value) else _flow(value)
    return block


def _too_long(key: str, value: JSON) -> bool:
    return is_document(value) and len(value) > 1 and len(key) + len(orjson.dumps(value)) > WIDTH


def _flow(value: JSON) -> Any:
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    flow: Any
    if is_document(value):
        flow = CommentedMap((key, _flow(item)) for key, item in value.items())
    elif is_list(value):
        flow = CommentedSeq(_flow(item) for item in value)
    else:
        return value
    flow.fa.set_flow_style()
    return flow


def write_catalogue(
    into: Path, areas: Areas, schemas: Mapping[str, Mapping[str, JSON]], overlays: Mapping[str, bytes]
) -> None:
    """Writes every file of a catalogue folder, and removes files of areas that are no more."""
    files = {f"{area}.yaml": area_text(entities) for area, entities in areas.items()}
    files |= {f"schemas/{name}.json": definitions_text(definitions) for name, definitions in schemas.items()}
    files |= {f"overlays/{name}": text for name, text in overlays.items()}
    for name in files:
        (into / name).parent.mkdir(parents=True, exist_ok=True)
    for stale in {*into.glob("*.yaml"), *into.glob("schemas/*.json")} - {into / name for name in files}:
        stale.unlink()
    for name, data in files.items():
        (into / name).write_bytes(data)
    (into / "index.json").write_bytes(index_text(into))
