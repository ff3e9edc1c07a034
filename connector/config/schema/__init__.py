"""The JSON Schema of a whole configuration, made from the declarations of all its parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from connector.catalogue import Catalogue
from connector.catalogue.schemas import DIALECT
from connector.config.kinds import Kind, Kinds
from connector.config.models import Document, Response
from connector.config.schema.chains import chain_definitions
from connector.config.schema.models import TEXT, Definitions, or_reference
from connector.http import prototypes
from connector.model import JSON

__all__ = ["json_schema"]

CHAINS = ("chain", "input")
REQUEST: dict[str, JSON] = {"properties": {name: {} for name in ("path", "query", "payload", "headers")}}
"""Members that editors propose; a kind of publisher may take others."""


def json_schema(kinds: Kinds | None = None, catalogue: Catalogue | None = None) -> dict[str, JSON]:
    """Return the JSON Schema with which editors complete and check a configuration.

    Args:
        kinds: the kinds of subscribers and publishers; without them parameters may be anything.
        catalogue: the entities to suggest; by default those that ship with the connector.
    """
    known = kinds or Kinds()
    definitions = Definitions(_suggestions(catalogue or Catalogue.open(None)))
    document = definitions.model(Document)
    definitions.found |= chain_definitions(definitions.with_suggestions)
    entries = definitions.found
    for name in ("Incoming", "Outgoing", "Route", "Response"):
        _with_chains(entries[name])
    entries["Chain"] = _chain(entries["Chain"])
    entries["Variable"] = _or(entries["Variable"], {})
    entries["Storage"] = _or(entries["Storage"], {"type": "null"})
    entries["Job"] = _or(entries["Job"], TEXT)
    run = entries["Schedule"]["properties"]["run"]
    entries["Schedule"]["properties"]["run"] = {
        "if": {"type": "array"}, "then": run, "else": run["items"], "description": run["description"]
    }  # fmt: skip
    entries["Schedule"]["anyOf"] = [{"required": [one]} for one in ("every", "after", "on_start", "onStart")]
    entries["Budget"]["anyOf"] = [{"required": [one]} for one in ("amount", "tokens")]
    entries["ClientEntry"] = _branches(definitions, entries["ClientEntry"], list(prototypes()), "client")
    part = entries.pop("Component")
    entries["Subscriber"] = _branches(definitions, part, _as_list(known.incoming), "subscriber")
    entries["Publisher"] = _branches(definitions, part, _as_list(known.outgoing), "publisher")
    entries["Incoming"]["properties"]["subscriber"] |= {"$ref": "#/$defs/Subscriber"}
    entries["Outgoing"]["properties"]["request"] |= REQUEST
    entries["Outgoing"]["properties"]["publisher"] |= {"$ref": "#/$defs/Publisher"}
    description = entries[Response.__name__]["properties"]["publisher"]["description"]
    entries[Response.__name__]["properties"]["publisher"] = {"$ref": "#/$defs/Publisher", "description": description}
    return _whole(document, entries)


def _whole(document: dict[str, JSON], entries: dict[str, JSON]) -> dict[str, JSON]:
    parts: dict[str, JSON] = document["properties"]
    parts |= {name: _or(part, {"type": "null"}) for name, part in parts.items() if name != "engine"}
    return {
        "$schema": DIALECT,
        "title": "openai-connector configuration",
        "type": "object",
        "properties": {"$schema": {"type": "string"}, **parts},
        "patternProperties": {"^x-": {}},
        "additionalProperties": False,
        "$defs": entries,
    }


def _or(schema: dict[str, JSON], other: dict[str, JSON]) -> dict[str, JSON]:
    """Return a schema for objects and one for other values; so separated, a fault gets its exact place."""
    return {"if": {"type": "object"}, "then": schema, "else": other}


def _suggestions(catalogue: Catalogue) -> dict[str, list[str]]:
    """Return proposals for parameters with open values."""
    actions = sorted({operation.action for operation in catalogue.operations()})
    return {"entity": list(catalogue.entities()), "action": actions}


def _as_list(kinds: Mapping[str, Kind] | None) -> list[Kind] | None:
    return None if kinds is None else list(kinds.values())


def _with_chains(entry: dict[str, JSON]) -> None:
    for name in CHAINS:
        if name in entry["properties"]:
            description = entry["properties"][name].get("description", "")
            entry["properties"][name] = {"$ref": "#/$defs/steps", "description": description}


def _chain(entry: dict[str, JSON]) -> dict[str, JSON]:
    """Return the schema of a saved chain: its steps, or an object with more."""
    entry["properties"]["steps"] = {"$ref": "#/$defs/steps"}
    return {"if": {"type": "object", "required": ["steps"]}, "then": entry, "else": {"$ref": "#/$defs/steps"}}


def _branches(
    definitions: Definitions, part: Mapping[str, JSON], kinds: Iterable[Kind] | None, noun: str
) -> dict[str, JSON]:
    """Return the schema of a prototype with the parameters of the kind that it names."""
    if kinds is None:
        return dict(part)
    branches: list[JSON] = []
    names: list[str] = []
    for kind in kinds:
        names.append(kind.name)
        parameters = definitions.parameters(kind, noun)
        then: dict[str, JSON] = {"properties": {"parameters": {"$ref": f"#/$defs/{parameters}"}}}
        if "required" in definitions.found[parameters] or "allOf" in definitions.found[parameters]:
            then["required"] = ["parameters"]
        condition = {"properties": {"prototype": {"const": kind.name}}, "required": ["prototype"]}
        branches.append({"if": condition, "then": then})
    prototype = {**part["properties"]["prototype"], **or_reference({"enum": names})}
    prototype.pop("type", None)
    return {**part, "properties": {**part["properties"], "prototype": prototype}, "allOf": branches}
