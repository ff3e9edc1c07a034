"""Exported incoming and outgoing connections."""

from __future__ import annotations

from collections.abc import Callable

from connector.migrate.alumio.exported import Exported
from connector.migrate.alumio.paging import our_paging
from connector.migrate.alumio.requests import our_request
from connector.migrate.alumio.steps import Translator
from connector.migrate.folder import Entry
from connector.migrate.shapes import as_map
from connector.migrate.texts import our_text, our_value
from connector.migrate.yamltext import Noted
from connector.model import JSON

__all__ = ["incoming", "outgoing"]

Part = tuple[str, dict[str, JSON], list[JSON]]
"""A prototype, its parameters, and steps that come before or after."""


def incoming(exported: Exported, name: str, this: Translator) -> Entry:
    """An incoming connection; what cannot be read is kept, disabled, with a file in the subscriber's place."""
    given = exported.parameters
    raw = as_map(given.get("subscriber"))
    this.entity_type = str(given.get("entityType") or "")
    part = _part(SUBSCRIBERS, "subscriber", raw, name, this)
    prototype, parameters, first = part or ("file", {"url": f"{name}.jsonl"}, [])
    asked = [
        step for key in ("inputTransformers", "inputs") for step in this.steps(given.get(key), f"parameters.{key}")
    ]
    chain = [*first, *this.steps(given.get("transformers"), "parameters.transformers")]
    body: dict[str, JSON] = {
        "description": exported.title,
        "subscriber": {"prototype": prototype, "parameters": parameters},
        **({"input": asked} if asked else {}),
        **({"chain": chain} if chain else {}),
    }
    return _entry("incoming", name, body, exported, replaced=part is None)


def outgoing(exported: Exported, name: str, this: Translator) -> Entry:
    """An outgoing connection; what cannot be published to is kept, disabled."""
    given = exported.parameters
    raw = as_map(given.get("publisher"))
    chain = this.steps(given.get("transformers"), "parameters.transformers")
    part = _part(PUBLISHERS, "publisher", raw, name, this)
    prototype, parameters, last = part or ("none", {}, [])
    publisher: dict[str, JSON] = {"prototype": prototype} | ({"parameters": parameters} if parameters else {})
    chain += last
    answer = this.steps(given.get("responseTransformers"), "parameters.responseTransformers")
    body: dict[str, JSON] = {
        "description": exported.title,
        **({"chain": chain} if chain else {}),
        "publisher": publisher,
        **({"answer": {"chain": answer}} if answer else {}),
    }
    return _entry("outgoing", name, body, exported, replaced=part is None)


def _entry(section: str, name: str, body: dict[str, JSON], exported: Exported, *, replaced: bool) -> Entry:
    if exported.disabled or replaced:
        body["disabled"] = True
    notes = (
        ["What it read from or wrote to has no counterpart here; see the report, then enable it."] if replaced else []
    )
    return Entry(section, name, body, exported.title, exported.comment, notes)


def _part(known: dict[str, Make], noun: str, raw: dict[str, JSON], name: str, this: Translator) -> Part | None:
    prototype, given = str(raw.get("prototype") or ""), as_map(raw.get("parameters"))
    make = known.get(prototype) or (_openai if prototype.startswith("openai") else None)
    if make is None:
        what = f"the {noun} {prototype!r} has no counterpart here" if prototype else f"there is no {noun}"
        this.log.refused(raw, f"parameters.{noun}", f"{what}; the connection is kept, disabled")
        return None
    this.log.mapped(prototype)
    return make(given, name, this)


def _http_in(given: dict[str, JSON], name: str, this: Translator) -> Part:  # noqa: ARG001  what all of them take
    path = "parameters.subscriber"
    request = our_request(as_map(given.get("request")), f"{path}.request", this.log)
    parameters: dict[str, JSON] = {"client": this.names.client(given, this.log), "request": request}
    reader = as_map(given.get("deserializer"))
    if (kind := reader.get("prototype")) == "json":
        this.log.mapped("json")
        pattern = as_map(reader.get("parameters")).get("pattern")
        if isinstance(pattern, str) and pattern:
            parameters["items"] = pattern.removesuffix(".*")
    elif kind is not None:
        this.log.refused(reader, f"{path}.deserializer", f"{kind!r} is not known here; answers are read as JSON")
    if paging := our_paging(as_map(given.get("pagination")), f"{path}.pagination", this.log):
        parameters["paging"] = paging
    if request["method"] not in ("GET", "POST", "HEAD"):
        this.log.changed(f"{path}.request.method", f"{request['method']} reads nothing here; GET is sent")
        request["method"] = "GET"
    request.pop("payload_type", None)
    return "http", parameters, []


def _storage_in(given: dict[str, JSON], name: str, this: Translator) -> Part:  # noqa: ARG001
    storage = this.names.find("storages", str(given.get("storage") or "unnamed"), this.log)
    this.log.changed("parameters.subscriber", "a storage is read as the files in its folder")
    size = given.get("groupSize")
    step: JSON = Noted({"expression": "value"}, "A stored file holds {key, value}.")
    if isinstance(size, int) and size > 0 and given.get("groupItems"):
        step = Noted({"aggregate": {"size": size, "value": "&{value}", "destination": ""}}, "Groups of what is stored.")
    return "file", {"url": f"storage/{storage}/*/*.json"}, [step]


def _http_out(given: dict[str, JSON], name: str, this: Translator) -> Part:  # noqa: ARG001
    request = our_request(as_map(given.get("request")), "parameters.publisher.request", this.log)
    # The document that comes out of the chain is what the publisher's request speaks of.
    steps: list[JSON] = [
        Noted({"http-transformer": {"client": this.names.client(given, this.log), "request": request}})
    ]
    return "none", {}, steps


def _openai(given: dict[str, JSON], name: str, this: Translator) -> Part:  # noqa: ARG001
    request = as_map(our_value(as_map(given.get("request"))))
    sections = {key: our_value(given[key]) for key in ("path", "query") if given.get(key)} | {
        key: request[key] for key in ("path", "query", "headers") if request.get(key)
    }
    parameters: dict[str, JSON] = {"client": this.names.client(given, this.log)}
    parameters |= {key: our_text(str(given[key])) for key in ("entity", "action") if given.get(key)}
    return "openai", parameters | ({"request": sections} if sections else {}), []


def _none(given: dict[str, JSON], name: str, this: Translator) -> Part:  # noqa: ARG001
    return "none", {}, []


Make = Callable[[dict[str, JSON], str, Translator], Part]
SUBSCRIBERS: dict[str, Make] = {
    "http-subscriber": _http_in,
    "http-subscriber-v2": _http_in,
    "storage-subscriber": _storage_in,
}
PUBLISHERS: dict[str, Make] = {
    "http-publisher": _http_out,
    "http-publisher-v2": _http_out,
    "no-action-publisher": _none,
}
