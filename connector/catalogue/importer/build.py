"""From a document to a whole catalogue: read, filled up, declared, named, patched, and the definitions dealt out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import orjson

from connector.catalogue.importer.definitions import Definitions
from connector.catalogue.importer.document import operations, read_document, servers
from connector.catalogue.importer.entries import Areas, place_all, unused
from connector.catalogue.importer.operations import declare
from connector.catalogue.importer.overlays import Overlays, read_overlays
from connector.catalogue.importer.patches import with_fragments
from connector.catalogue.importer.request_schemas import accept_returned, relieve
from connector.catalogue.index import index_text
from connector.catalogue.schemas import SHARED, references
from connector.declarations import folder
from connector.errors import ConfigurationError
from connector.model import JSON, is_document, is_list, members

__all__ = ["Built", "area_text", "build", "definitions_text", "import_document", "write_catalogue"]

WEBHOOKS = "webhooks"


@dataclass(frozen=True, slots=True)
class Built:
    """A catalogue in memory: its entries by area, its definitions by file, the overlays it was made with."""

    areas: Areas
    schemas: Mapping[str, Mapping[str, JSON]]
    overlays: Overlays
    notices: tuple[str, ...] = ()
    """What the overlays say of things that the document does not have."""

    def __str__(self) -> str:
        entities = [actions for area in self.areas.values() for actions in area.values()]
        counted = f"{sum(map(len, entities))} operations of {len(entities)} entities in {len(self.areas)} areas"
        return "\n".join([counted, *(f"note: {notice}" for notice in self.notices)])


def import_document(document_path: Path, into: Path, overlays: Path | None = None) -> Built:
    """Writes the catalogue of an OpenAPI document into a folder: the same bytes for the same input."""
    own = into / "overlays"
    built = build(document_path, overlays or (own if own.is_dir() else None))
    write_catalogue(into, built.areas, built.schemas, {overlay.file: overlay.text for overlay in built.overlays.files})
    return built


def build(document_path: Path, overlays: Path | None = None) -> Built:
    """The catalogue of an OpenAPI document, with the overlays in a folder, else those that ship with the connector."""
    document = read_document(document_path)
    try:
        return _built(document, overlays or folder("entities") / "overlays")
    except ConfigurationError as error:
        raise ConfigurationError(f"{document_path}: {error}") from error
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        # A document can be malformed anywhere: one sentence here rather than a check at every step.
        found = f"{type(error).__name__}: {error}"
        raise ConfigurationError(f"{document_path}: not a well-formed OpenAPI document ({found})") from error


def _built(document: dict[str, JSON], overlays: Path) -> Built:
    applied = read_overlays(overlays, servers(document))
    document, notices = with_fragments(document, applied)
    definitions = Definitions(document)
    declared = [declare(document, definitions, *operation) for operation in operations(document)]
    if not declared:
        raise ConfigurationError("no operations in it; a catalogue needs paths with methods")
    areas = place_all(declared, document, applied)
    notices += _unknown_answers(areas, definitions)
    notices += accept_returned(definitions, applied)
    notices += relieve(definitions, _asked(areas, definitions), _answered(areas, definitions), applied)
    schemas = _dealt(areas, _webhooks(document, definitions), definitions)
    return Built(areas, schemas, applied, (*notices, *unused(declared, applied)))


def _unknown_answers(areas: Areas, definitions: Definitions) -> list[str]:
    """Leaves an answer without a schema where an overlay names a definition that this document does not have."""
    notices: list[str] = []
    for entity, actions in (item for entities in areas.values() for item in entities.items()):
        for action, entry in actions.items():
            unknown = [kind for kind, name in entry["answer"].items() if name and name not in definitions.schemas]
            notices += [f"overlays: {entity} {action}: no definition is {entry['answer'][kind]}" for kind in unknown]
            entry["answer"] = {kind: None if kind in unknown else name for kind, name in entry["answer"].items()}
    return notices


def _asked(areas: Areas, definitions: Definitions) -> set[str]:
    """The definitions that requests reach."""
    entries = _entries(areas)
    return definitions.closure(
        name for entry in entries for name in (entry.get("payload"), *entry.get("alternatives", {}).values()) if name
    )


def _answered(areas: Areas, definitions: Definitions) -> set[str]:
    """The definitions that answers reach."""
    return definitions.closure(name for entry in _entries(areas) for name in entry["answer"].values() if name)


def _entries(areas: Areas) -> list[Mapping[str, JSON]]:
    return [entry for entities in areas.values() for actions in entities.values() for entry in actions.values()]


def _webhooks(document: Mapping[str, JSON], definitions: Definitions) -> set[str]:
    """The definitions of what the API posts to its users."""
    found: set[str] = set()
    for event, item in members(document.get("webhooks")).items():
        media = item.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json")
        if media:
            found.add(definitions.place(media["schema"], f"webhook.{event}"))
    return found


def _dealt(areas: Areas, webhooks: set[str], definitions: Definitions) -> dict[str, dict[str, JSON]]:
    """The definitions that are reached, by file: an area's own, and those that several areas share."""
    reached = {area: definitions.closure(_named(entities)) for area, entities in areas.items()}
    reached[WEBHOOKS] = definitions.closure(webhooks)
    users = Counter(name for names in reached.values() for name in names)
    dealt = {area: [name for name in names if users[name] == 1] for area, names in reached.items()}
    dealt[SHARED] = [name for name, count in users.items() if count > 1]
    return {file: {name: definitions.schemas[name] for name in names} for file, names in dealt.items() if names}


def _named(entities: Mapping[str, Mapping[str, Mapping[str, JSON]]]) -> set[str]:
    """The definitions that the entries of an area name."""
    named: set[str] = set()
    for entry in (entry for actions in entities.values() for entry in actions.values()):
        named |= {entry["payload"]} if "payload" in entry else set()
        named |= set(entry.get("alternatives", {}).values()) | {name for name in entry["answer"].values() if name}
        named |= set(references([entry.get(key, {}) for key in ("path", "query", "headers")]))
    return named


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
