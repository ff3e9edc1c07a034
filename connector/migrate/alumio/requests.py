"""Exported requests in our notation."""

from __future__ import annotations

import re
from urllib.parse import unquote_plus

from connector.migrate.report import Log
from connector.migrate.shapes import as_list, as_map, prototypes_in
from connector.migrate.texts import our_text, our_value
from connector.model import JSON, is_object

__all__ = ["our_request", "plugins_of"]

AMPERSAND = re.compile(r"&(?!\{)")
KNOWN = frozenset(("uri", "url", "path", "method", "payload", "body", "headers", "query", "payloadType", "parameters"))
SILENT = frozenset(("plugins", "authentications", "serializer", "deserializer"))


def our_request(raw: dict[str, JSON], path: str, log: Log) -> dict[str, JSON]:
    """{method, path, query, headers, payload} of an exported request; what is empty is left out."""
    address, query = _address(str(raw.get("uri") or raw.get("url") or raw.get("path") or "/"))
    method = str(raw.get("method") or "GET").upper()
    query |= as_map(our_value(as_map(raw.get("query") or raw.get("parameters"))))
    headers = {name: our_text(str(value)) for name, value in as_map(raw.get("headers")).items()}
    payload = our_value(raw.get("payload", raw.get("body")))
    if method in ("GET", "HEAD") and is_object(payload):
        query, payload = {**query, **payload}, None
    plugins_of(raw, path, log, headers)
    _remarks(raw, path, log)
    sections: dict[str, JSON] = {"query": query, "headers": headers, "payload": payload}
    kept = {name: value for name, value in sections.items() if value not in (None, [], {}, "")}
    form = {"payload_type": "form"} if raw.get("payloadType") == "form" and "payload" in kept else {}
    return {"method": method, "path": address, **kept, **form}


def plugins_of(raw: dict[str, JSON], path: str, log: Log, headers: dict[str, str]) -> str:
    """Takes headers and the base address from a request's or client's plugins; the rest is reported."""
    base = ""
    for index, plugin in enumerate(as_list(raw.get("plugins"))):
        item, where = as_map(plugin), f"{path}.plugins[{index}]"
        given, name = as_map(item.get("parameters")), item.get("prototype")
        if name == "base-uri":
            base = _base(given)
        elif name in ("header-append", "header-set", "headers"):
            headers |= {key: our_text(str(value)) for key, value in as_map(given.get("headers")).items()}
        elif name != "logger":
            log.refused(plugin, where, f"the plugin {name!r} has no counterpart here; left out")
            continue
        log.mapped(str(name))
    return base


def _base(given: dict[str, JSON]) -> str:
    uri = given.get("uri")
    found = as_map(uri).get("parameters") if is_object(uri) else uri
    return our_text(found) if isinstance(found, str) else ""


def _address(uri: str) -> tuple[str, dict[str, JSON]]:
    """The path, and the query that an address ends with."""
    address, rest = _apart(re.sub(r"^https?://[^/?#&{]+", "", uri) or "/")
    query: dict[str, JSON] = {}
    for pair in AMPERSAND.split(rest) if rest else ():
        name, _, value = pair.partition("=")
        query[unquote_plus(name)] = our_text(unquote_plus(value) if "{" not in value else value)
    return our_text(address, strict=True), query


def _apart(uri: str) -> tuple[str, str]:
    """An address before and after its question mark; one within a placeholder is none."""
    depth = 0
    for index, letter in enumerate(uri):
        depth += {"{": 1, "}": -1}.get(letter, 0)
        if letter == "?" and depth == 0 and uri[index + 1 : index + 2] != "{":
            return uri[:index], uri[index + 1 :]
    return uri, ""


def _remarks(raw: dict[str, JSON], path: str, log: Log) -> None:
    if re.match(r"https?://", str(raw.get("uri"))):
        log.changed(f"{path}.uri", "a whole address; its path is asked for below the client's address here")
    for index, item in enumerate(as_list(raw.get("authentications"))):
        log.refused(item, f"{path}.authentications[{index}]", "a request does not authenticate here; its client does")
    for name in ("serializer", "deserializer"):
        for prototype in prototypes_in(raw.get(name)):
            if prototype == "json":
                log.mapped("json")
            else:
                log.refused(
                    {"prototype": prototype}, f"{path}.{name}", f"{prototype} is not known here; JSON is written"
                )
    for name, value in raw.items():
        if name not in KNOWN and name not in SILENT and value not in (None, [], {}, "", False):
            log.lost(f"{path}.{name}", "requests have no such section here; left out")
            if any(prototypes_in(value)):
                log.refused(value, f"{path}.{name}", "and so are the prototypes in it")
