"""Exported requests in our notation."""

from __future__ import annotations

import re
from urllib.parse import unquote_plus

from connector.migrate.notation import as_list, as_map, translate_text, translate_value
from connector.migrate.report import ObjectLog, prototypes_in
from connector.model import JSON, is_object

__all__ = ["read_plugins", "translate_request"]

AMPERSAND = re.compile(r"&(?!\{)")
KNOWN = frozenset(("uri", "url", "path", "method", "payload", "body", "headers", "query", "payloadType", "parameters"))
SILENT = frozenset(("plugins", "authentications", "serializer", "deserializer"))


def translate_request(raw: dict[str, JSON], path: str, log: ObjectLog) -> dict[str, JSON]:
    """Return {method, path, query, headers, payload} of an exported request, without empty sections."""
    address, query = _address(str(raw.get("uri") or raw.get("url") or raw.get("path") or "/"))
    method = str(raw.get("method") or "GET").upper()
    query |= as_map(translate_value(as_map(raw.get("query") or raw.get("parameters"))))
    headers = {name: translate_text(str(value)) for name, value in as_map(raw.get("headers")).items()}
    payload = translate_value(raw.get("payload", raw.get("body")))
    if method in ("GET", "HEAD") and is_object(payload):
        query, payload = {**query, **payload}, None
    read_plugins(raw, path, log, headers)
    _remarks(raw, path, log)
    sections: dict[str, JSON] = {"query": query, "headers": headers, "payload": payload}
    kept = {name: value for name, value in sections.items() if value not in (None, [], {}, "")}
    form = {"payload_type": "form"} if raw.get("payloadType") == "form" and "payload" in kept else {}
    return {"method": method, "path": address, **kept, **form}


def read_plugins(raw: dict[str, JSON], path: str, log: ObjectLog, headers: dict[str, str]) -> str:
    """Add the headers of a request's or client's plugins and return their base address; report the rest."""
    base = ""
    for index, plugin in enumerate(as_list(raw.get("plugins"))):
        item, where = as_map(plugin), f"{path}.plugins[{index}]"
        given, name = as_map(item.get("parameters")), item.get("prototype")
        if name == "base-uri":
            base = _base(given)
        elif name in ("header-append", "header-set", "headers"):
            headers |= {key: translate_text(str(value)) for key, value in as_map(given.get("headers")).items()}
        elif name != "logger":
            log.add_refused(plugin, where, f"the plugin {name!r} has no counterpart here; left out")
            continue
        log.count_mapped(str(name))
    return base


def _base(given: dict[str, JSON]) -> str:
    uri = given.get("uri")
    found = as_map(uri).get("parameters") if is_object(uri) else uri
    return translate_text(found) if isinstance(found, str) else ""


def _address(uri: str) -> tuple[str, dict[str, JSON]]:
    """Return the path and the query of an address."""
    address, rest = _split(re.sub(r"^https?://[^/?#&{]+", "", uri) or "/")
    query: dict[str, JSON] = {}
    for pair in AMPERSAND.split(rest) if rest else ():
        name, _, value = pair.partition("=")
        query[unquote_plus(name)] = translate_text(unquote_plus(value) if "{" not in value else value)
    return translate_text(address, strict=True), query


def _split(uri: str) -> tuple[str, str]:
    """Split an address at its question mark; one within a placeholder does not count."""
    depth = 0
    for index, letter in enumerate(uri):
        depth += {"{": 1, "}": -1}.get(letter, 0)
        if letter == "?" and depth == 0 and uri[index + 1 : index + 2] != "{":
            return uri[:index], uri[index + 1 :]
    return uri, ""


def _remarks(raw: dict[str, JSON], path: str, log: ObjectLog) -> None:
    if re.match(r"https?://", str(raw.get("uri"))):
        log.add_changed(f"{path}.uri", "a whole address; its path is asked for below the client's address here")
    for index, item in enumerate(as_list(raw.get("authentications"))):
        log.add_refused(
            item, f"{path}.authentications[{index}]", "a request does not authenticate here; its client does"
        )
    for name in ("serializer", "deserializer"):
        for prototype in prototypes_in(raw.get(name)):
            if prototype == "json":
                log.count_mapped("json")
            else:
                log.add_refused(
                    {"prototype": prototype}, f"{path}.{name}", f"{prototype} is not known here; JSON is written"
                )
    for name, value in raw.items():
        if name not in KNOWN and name not in SILENT and value not in (None, [], {}, "", False):
            log.add_lost(f"{path}.{name}", "requests have no such section here; left out")
            if any(prototypes_in(value)):
                log.add_refused(value, f"{path}.{name}", "and so are the prototypes in it")
