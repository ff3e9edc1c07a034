"""The operations of a document in the catalogue's notation."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from connector.catalogue.importer.definitions import Definitions
from connector.catalogue.importer.document import follow
from connector.model import JSON, members

__all__ = ["Declared", "declare", "detect_paging", "is_list_answer"]

IGNORED_HEADERS = frozenset({"accept", "content-type", "authorization"})
PLAIN = {"type": "string"}


@dataclass(slots=True)
class Declared:
    """An operation with its wire name and its entry so far."""

    method: str
    path: str
    entry: dict[str, JSON]
    source: Mapping[str, JSON]
    lists: bool

    @property
    def wire_name(self) -> str:
        return f"{self.method} {self.path}"


def declare(
    document: Mapping[str, JSON], definitions: Definitions, method: str, path: str, source: Mapping[str, JSON]
) -> Declared:
    """Translate one operation of a document into the catalogue's notation."""
    template, _, fixed = path.partition("?")
    hint = _make_hint(source.get("operationId") or f"{method.lower()} {template}")
    entry: dict[str, JSON] = {method.lower(): template}
    if source.get("operationId"):
        entry["aliases"] = [source["operationId"]]
    if fixed:
        entry["fixed_query"] = dict(pair.split("=", 1) for pair in fixed.split("&"))
    entry |= _read_parameters(definitions, source.get("parameters", []))
    entry |= _read_body(definitions, follow(document, source.get("requestBody")), hint)
    entry["answer"] = _read_answer(document, definitions, source, hint)
    answered = entry["answer"].get("json")
    query = entry.get("query", {})
    entry |= _detect_stream(definitions, entry, query)
    if source.get("deprecated") is True:
        entry["deprecated"] = True
    lists = is_list_answer(definitions, answered)
    fields = definitions.properties(definitions.named(answered)) if answered else {}
    if method == "GET" and lists and (pages := detect_paging(query, fields)):
        entry["pages"] = pages
    return Declared(method, path, entry, source, lists)


def _make_hint(name: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"\W+|_", name))


def _read_parameters(definitions: Definitions, parameters: list[JSON]) -> dict[str, JSON]:
    found: dict[str, dict[str, JSON]] = {"path": {}, "query": {}, "header": {}, "cookie": {}}
    required: list[str] = []
    for parameter in parameters:
        where, name = parameter["in"], _read_name(parameter)
        if where == "header" and name in IGNORED_HEADERS:
            continue
        found[where][name] = definitions.parameter(_read_schema(parameter))
        if where == "query" and parameter.get("required") is True:
            required.append(name)
    path = {name: schema for name, schema in found["path"].items() if schema != PLAIN}
    kept = {"path": path, "query": found["query"], "required_query": required, "headers": found["header"]}
    return {key: value for key, value in kept.items() if value}


def _read_name(parameter: Mapping[str, JSON]) -> str:
    """Return a parameter's name as people use it: brackets belong to the wire, and headers have no case."""
    name: str = parameter["name"]
    return name.lower() if parameter["in"] == "header" else name.removesuffix("[]")


def _read_schema(parameter: Mapping[str, JSON]) -> JSON:
    content = members(parameter.get("content"))
    return next((media.get("schema", {}) for media in content.values()), parameter.get("schema", {}))


def _read_body(definitions: Definitions, body: JSON, hint: str) -> dict[str, JSON]:
    entry: dict[str, JSON] = {}
    payloads: dict[str, str] = {}
    for content_type, media in members(members(body).get("content")).items():
        kind = _parse_body_kind(content_type)
        payloads.setdefault(kind, definitions.place(media.get("schema", {}), f"{hint}{_choose_suffix(kind)}"))
        if media.get("encoding"):
            parts = media["encoding"].items()
            entry["parts"] = {name: part["contentType"] for name, part in parts if "contentType" in part}
    if not payloads:
        return {}
    first, *others = payloads
    entry |= {"body": list(payloads), "payload": payloads[first]}
    others_differ = {kind: payloads[kind] for kind in others if payloads[kind] != payloads[first]}
    return entry | ({"alternatives": others_differ} if others_differ else {}) | _read_required(body)


def _read_required(body: Mapping[str, JSON]) -> dict[str, JSON]:
    return {"payload_required": True} if body.get("required") is True else {}


def _choose_suffix(kind: str) -> str:
    return "Request" if kind in ("json", "multipart") else f"{kind.capitalize()}Request"


def _parse_body_kind(content_type: str) -> str:
    essence = content_type.split(";", maxsplit=1)[0].strip().lower()
    named = {"multipart/form-data": "multipart", "application/sdp": "sdp", "application/x-www-form-urlencoded": "form"}
    return named.get(essence) or ("json" if essence.endswith(("json", "*/*")) else "binary")


def _read_answer(
    document: Mapping[str, JSON], definitions: Definitions, source: Mapping[str, JSON], hint: str
) -> dict[str, JSON]:
    answer: dict[str, JSON] = {}
    for content_type, media in _iterate_success_media(document, members(source.get("responses"))):
        kind = _parse_answer_kind(content_type)
        suffix = "Event" if kind == "events" else "Response"
        schema = media.get("schema") if kind in ("json", "events") else None
        answer.setdefault(kind, None if schema is None else definitions.place(schema, f"{hint}{suffix}"))
    return answer or {"empty": None}


def _iterate_success_media(
    document: Mapping[str, JSON], responses: Mapping[str, JSON]
) -> Iterator[tuple[str, Mapping[str, JSON]]]:
    good = sorted(status for status in responses if status.upper().startswith("2"))
    for status in good or [status for status in responses if status == "default"]:
        yield from members(follow(document, responses[status]).get("content")).items()


def _parse_answer_kind(content_type: str) -> str:
    essence = content_type.split(";", maxsplit=1)[0].strip().lower()
    if essence == "text/event-stream":
        return "events"
    if essence.startswith("text/") or essence == "application/sdp":
        return "text"
    return "json" if essence.endswith(("json", "*/*")) else "binary"


def _detect_stream(definitions: Definitions, entry: Mapping[str, JSON], query: Mapping[str, JSON]) -> dict[str, JSON]:
    if "events" not in entry["answer"]:
        return {}
    payload = entry.get("payload")
    if payload and "stream" in definitions.properties(definitions.named(payload)):
        return {"stream": "payload"}
    return {"stream": "query"} if "stream" in query else {}


def is_list_answer(definitions: Definitions, answer: str | None) -> bool:
    """Return whether an answer is an array, or an object with one as its `data` or `items`."""
    if answer is None:
        return False
    schema = definitions.named(answer)
    properties = definitions.properties(schema)
    held = [definitions.resolve(properties[name]) for name in ("data", "items") if name in properties]
    return any("array" in str(part.get("type")) for part in (definitions.resolve(schema), *held))


def detect_paging(query: Collection[str], answered: Collection[str]) -> str | None:
    """Return the style of paging that these query parameters and answer fields allow."""
    if "page" in query and "next_page" in answered:
        return "page"
    if "after" not in query:
        return None
    if "next" in answered:
        return "next"
    return "cursor" if {"has_more", "last_id"} & set(answered) else None
