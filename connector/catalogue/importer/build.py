"""Build a catalogue from a document, and write its folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import orjson

from connector.catalogue.importer.definitions import Definitions
from connector.catalogue.importer.document import format_document, iterate_operations, read_document, read_servers
from connector.catalogue.importer.entries import Areas, build_entries, find_unused
from connector.catalogue.importer.operations import declare
from connector.catalogue.importer.overlays import Overlays, read_overlays
from connector.catalogue.importer.patches import apply_overlays
from connector.catalogue.importer.request_schemas import accept_returned_answers, relax_requests
from connector.catalogue.index import format_index
from connector.catalogue.schemas import SHARED, find_references
from connector.declarations import folder
from connector.errors import ConfigurationError
from connector.model import JSON, is_document, is_list, members

__all__ = [
    "DOCUMENT",
    "BuiltCatalogue",
    "build",
    "build_document",
    "format_area",
    "format_definitions",
    "import_document",
    "write_catalogue",
]

DOCUMENT = "document.json"
WEBHOOKS = "webhooks"


@dataclass(frozen=True, slots=True)
class BuiltCatalogue:
    """A catalogue in memory: entries by area, definitions by file, and the overlays that were applied."""

    areas: Areas
    schemas: Mapping[str, Mapping[str, JSON]]
    overlays: Overlays
    document: bytes
    """The document that it was made from, without prose."""
    notices: tuple[str, ...] = ()
    """Notices of overlays about things that the document does not have."""

    def __str__(self) -> str:
        entities = [actions for area in self.areas.values() for actions in area.values()]
        counted = f"{sum(map(len, entities))} operations of {len(entities)} entities in {len(self.areas)} areas"
        return "\n".join([counted, *(f"note: {notice}" for notice in self.notices)])


def import_document(document_path: Path, into: Path, overlays: Path | None = None) -> BuiltCatalogue:
    """Write the catalogue of an OpenAPI document into a folder; the same input gives the same bytes."""
    own = into / "overlays"
    built = build(document_path, overlays or (own if own.is_dir() else None))
    write_catalogue(into, built)
    return built


def build(document_path: Path, overlays: Path | None = None, where: str = "") -> BuiltCatalogue:
    """Build the catalogue of an OpenAPI document with the overlays of a folder, else the shipped ones."""
    return build_document(read_document(document_path, where), where or str(document_path), overlays)


def build_document(document: dict[str, JSON], where: str, overlays: Path | None = None) -> BuiltCatalogue:
    """Build the catalogue of a document that has been read; `where` names it in messages."""
    try:
        return _build(document, overlays or folder("entities") / "overlays")
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}: {error}") from error
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        # A document can be malformed anywhere: one sentence here rather than a check at every step.
        found = f"{type(error).__name__}: {error}"
        raise ConfigurationError(f"{where}: not a well-formed OpenAPI document ({found})") from error


def _build(document: dict[str, JSON], overlays: Path) -> BuiltCatalogue:
    applied = read_overlays(overlays, read_servers(document))
    source = format_document(document)
    document, notices = apply_overlays(document, applied)
    definitions = Definitions(document)
    declared = [declare(document, definitions, *operation) for operation in iterate_operations(document)]
    if not declared:
        raise ConfigurationError("no operations in it; a catalogue needs paths with methods")
    areas = build_entries(declared, document, applied)
    notices += _drop_unknown_answers(areas, definitions)
    notices += accept_returned_answers(definitions, applied)
    notices += relax_requests(
        definitions, _requested_definitions(areas, definitions), _answered_definitions(areas, definitions), applied
    )
    schemas = _distribute(areas, _webhook_definitions(document, definitions), definitions)
    return BuiltCatalogue(areas, schemas, applied, source, (*notices, *find_unused(declared, applied)))


def _drop_unknown_answers(areas: Areas, definitions: Definitions) -> list[str]:
    """Drop the schemas of answers that overlays name and the document does not have; return notices."""
    notices: list[str] = []
    for entity, actions in (item for entities in areas.values() for item in entities.items()):
        for action, entry in actions.items():
            unknown = [kind for kind, name in entry["answer"].items() if name and name not in definitions.schemas]
            notices += [f"overlays: {entity} {action}: no definition is {entry['answer'][kind]}" for kind in unknown]
            entry["answer"] = {kind: None if kind in unknown else name for kind, name in entry["answer"].items()}
    return notices


def _requested_definitions(areas: Areas, definitions: Definitions) -> set[str]:
    """Return the definitions that requests reach."""
    entries = _list_entries(areas)
    return definitions.closure(
        name for entry in entries for name in (entry.get("payload"), *entry.get("alternatives", {}).values()) if name
    )


def _answered_definitions(areas: Areas, definitions: Definitions) -> set[str]:
    """Return the definitions that answers reach."""
    return definitions.closure(name for entry in _list_entries(areas) for name in entry["answer"].values() if name)


def _list_entries(areas: Areas) -> list[Mapping[str, JSON]]:
    return [entry for entities in areas.values() for actions in entities.values() for entry in actions.values()]


def _webhook_definitions(document: Mapping[str, JSON], definitions: Definitions) -> set[str]:
    """Return the definitions of webhook events."""
    found: set[str] = set()
    for event, item in members(document.get("webhooks")).items():
        media = item.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json")
        if media:
            found.add(definitions.place(media["schema"], f"webhook.{event}"))
    return found


def _distribute(areas: Areas, webhooks: set[str], definitions: Definitions) -> dict[str, dict[str, JSON]]:
    """Distribute the reached definitions to files: one per area, and one for those that several areas share."""
    reached = {area: definitions.closure(_named_definitions(entities)) for area, entities in areas.items()}
    reached[WEBHOOKS] = definitions.closure(webhooks)
    users = Counter(name for names in reached.values() for name in names)
    dealt = {area: [name for name in names if users[name] == 1] for area, names in reached.items()}
    dealt[SHARED] = [name for name, count in users.items() if count > 1]
    return {file: {name: definitions.schemas[name] for name in names} for file, names in dealt.items() if names}


def _named_definitions(entities: Mapping[str, Mapping[str, Mapping[str, JSON]]]) -> set[str]:
    """Return the definitions that the entries of an area name."""
    named: set[str] = set()
    for entry in (entry for actions in entities.values() for entry in actions.values()):
        named |= {entry["payload"]} if "payload" in entry else set()
        named |= set(entry.get("alternatives", {}).values()) | {name for name in entry["answer"].values() if name}
        named |= set(find_references([entry.get(key, {}) for key in ("path", "query", "headers")]))
    return named


WIDTH = 120


def format_definitions(schemas: Mapping[str, JSON]) -> bytes:
    """Format definitions as a JSON object, one definition per line, sorted by name."""
    written = {name: orjson.dumps(schemas[name], option=orjson.OPT_SORT_KEYS) for name in sorted(schemas)}
    return b"{\n" + b",\n".join(orjson.dumps(name) + b": " + text for name, text in written.items()) + b"\n}\n"


def format_area(entities: Mapping[str, Mapping[str, Mapping[str, JSON]]]) -> bytes:
    """Format an area as YAML: operations as blocks, what fits a line in flow style."""
    from ruamel.yaml import YAML

    yaml: Any = YAML()  # the library has no types for what it dumps
    yaml.width = 4096
    stream = StringIO()
    blocks = {
        entity: {action: _make_block(entry) for action, entry in actions.items()}
        for entity, actions in entities.items()
    }
    yaml.dump(blocks, stream)
    return stream.getvalue().encode()


def _make_block(entry: Mapping[str, JSON]) -> Any:
    from ruamel.yaml.comments import CommentedMap

    block = CommentedMap()
    for key, value in entry.items():
        block[key] = _make_block(value) if _is_too_long(key, value) else _make_flow(value)
    return block


def _is_too_long(key: str, value: JSON) -> bool:
    return is_document(value) and len(value) > 1 and len(key) + len(orjson.dumps(value)) > WIDTH


def _make_flow(value: JSON) -> Any:
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    flow: Any
    if is_document(value):
        flow = CommentedMap((key, _make_flow(item)) for key, item in value.items())
    elif is_list(value):
        flow = CommentedSeq(_make_flow(item) for item in value)
    else:
        return value
    flow.fa.set_flow_style()
    return flow


def write_catalogue(into: Path, built: BuiltCatalogue) -> None:
    """Write every file of a catalogue folder, and remove files of areas that are gone."""
    files = {f"{area}.yaml": format_area(entities) for area, entities in built.areas.items()}
    files |= {f"schemas/{name}.json": format_definitions(defined) for name, defined in built.schemas.items()}
    files |= {f"overlays/{overlay.file}": overlay.text for overlay in built.overlays.files}
    files[DOCUMENT] = built.document
    for name in files:
        (into / name).parent.mkdir(parents=True, exist_ok=True)
    for stale in {*into.glob("*.yaml"), *into.glob("schemas/*.json")} - {into / name for name in files}:
        stale.unlink()
    for name, data in files.items():
        (into / name).write_bytes(data)
    (into / "index.json").write_bytes(format_index(into))
