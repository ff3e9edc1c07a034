"""Adapters of Moment Atlas as clients."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from connector.errors import ConfigurationError
from connector.migrate.folder import Entry, Folder, safe_name
from connector.migrate.notation import as_list, as_map, translate_secrets
from connector.migrate.report import ObjectLog, Report
from connector.model import JSON, is_object
from connector.yaml import read_yaml

__all__ = ["import_atlas"]

SEPARATOR = re.compile(rb"^---(?=\s|$)|^\.\.\.\s*$")
OPENAI = "api.openai.com"
PARAMETERS = {"authorization": "token", "openai-organization": "organization", "openai-project": "project"}
"""Headers that the OpenAI prototype has parameters for."""
SECRET = re.compile(r"authorization|key|token|secret|cookie", re.IGNORECASE)


def import_atlas(path: Path, into: Path) -> Report:
    """Writes a folder of our configuration from an Atlas configuration, and reports what could not be carried over.

    Args:
        path: a YAML file with a document for each adapter.
        into: a new or empty folder.
    """
    report, folder = Report(), Folder()
    referred: list[str] | None = None
    for line, document in _documents(path, report):
        kind, name = str(document.get("kind") or ""), str(as_map(document.get("metadata")).get("name") or "")
        log = ObjectLog(report, path.name, line, f"{kind or 'document'} {name}".strip())
        spec = as_map(document.get("spec"))
        if "apiAdapters" in spec:
            referred = [*(referred or []), *_references(spec, log)]
        elif kind.upper() == "HTTP" and name:
            entry = _client(name, spec, folder, log)
            report.count_object(kind, imported=entry is not None)
        else:
            report.count_object(kind or "(no kind)", imported=False)
            log.add_lost("", "only adapters of kind HTTP with a metadata.name have a counterpart here")
    _compare(referred, folder, ObjectLog(report, path.name, 0, ""))
    folder.write(into, report)
    return report


def _documents(path: Path, report: Report) -> Iterator[tuple[int, dict[str, JSON]]]:
    """Each document with the line that it begins on; one that is no YAML is reported and passed over."""
    for line, text in _parts(path):
        try:
            value = read_yaml(text, f"the document that begins on line {line}")
        except ConfigurationError as error:
            report.count_object("(unreadable)", imported=False)
            ObjectLog(report, path.name, line, "").add_lost("", str(error))
            continue
        if is_object(value):
            yield line, dict(value)
        elif value is not None:
            report.count_object("(unreadable)", imported=False)
            ObjectLog(report, path.name, line, "").add_lost("", "a document that is no object")


def _parts(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        lines = path.read_bytes().removeprefix(b"\xef\xbb\xbf").splitlines()
    except OSError as error:
        raise ConfigurationError(f"cannot read {str(path)!r}: {error.strerror or error}") from None
    start, part = 1, list[bytes]()
    for number, line in enumerate(lines, start=1):
        if SEPARATOR.match(line):
            yield start, b"\n".join(part)
            # What follows the marker on its line belongs to the document.
            rest = SEPARATOR.sub(b"", line)
            start, part = (number, [rest]) if rest.strip() else (number + 1, [])
        else:
            part.append(line)
    yield start, b"\n".join(part)


def _references(spec: dict[str, JSON], log: ObjectLog) -> list[str]:
    for name in spec.keys() - {"apiAdapters"}:
        log.add_lost(f"spec.{name}", "has no counterpart here")
    found = [as_map(as_map(item).get("adapterRef")).get("name") for item in as_list(spec["apiAdapters"])]
    log.report.count_object("root document", imported=True)
    return [name for name in found if isinstance(name, str)]


def _compare(referred: list[str] | None, folder: Folder, log: ObjectLog) -> None:
    """Adapters that are named but not there, and those that are there but not named."""
    titles = [entry.title for entry in folder.entries.values()]
    for name in referred or ():
        if name not in titles:
            log.add_lost("", f"the adapter {name!r} is referred to, but the file holds no document for it")
    for title in titles:
        if referred is not None and title not in referred:
            log.add_changed(
                "", f"the adapter {title!r} was not referred to by the root document; it is a client all the same"
            )


def _client(name: str, spec: dict[str, JSON], folder: Folder, log: ObjectLog) -> Entry | None:
    address = _text(spec.get("baseUrl"))
    if not address:
        log.add_lost("spec.baseUrl", "there is no address; the adapter is left out")
        return None
    for key in spec.keys() - {"baseUrl", "headers"}:
        log.add_lost(f"spec.{key}", "clients have nothing like it here; left out")
    headers = dict(_headers(spec.get("headers"), log))
    body = _openai(address, headers, log) or _plain(address, headers)
    return folder.add(Entry("clients", safe_name(name, folder.names("clients")), body, name))


def _headers(raw: JSON, log: ObjectLog) -> Iterator[tuple[str, str]]:
    for index, item in enumerate(as_list(raw)):
        given, path = as_map(item), f"spec.headers[{index}]"
        header, value = given.get("name"), given.get("value")
        if not isinstance(header, str) or not header or isinstance(value, dict | list) or value is None:
            log.add_lost(path, "a header needs a name and a value; left out")
            continue
        text = _text(value)
        if SECRET.search(header) and "${" not in text:
            log.add_changed(
                path, f"the value of {header} stands in the file; better keep it in the environment, as ${{NAME}}"
            )
        yield header.strip(), text


def _plain(address: str, headers: dict[str, str]) -> dict[str, JSON]:
    return {"prototype": "http", "parameters": {"base_uri": address} | ({"headers": dict(headers)} if headers else {})}


def _openai(address: str, headers: dict[str, str], log: ObjectLog) -> dict[str, JSON] | None:
    """The OpenAI prototype for its address, when what lets a call in is a bearer's token."""
    url = urlsplit(address)
    token = next((value for key, value in headers.items() if key.lower() == "authorization"), "")
    if url.hostname != OPENAI or not token.lower().startswith("bearer "):
        return None
    parameters: dict[str, JSON] = {}
    if url.path.rstrip("/") != "/v1":
        log.add_changed("spec.baseUrl", "paths begin below /v1 here: /chat/completions, not /v1/chat/completions")
    rest: dict[str, str] = {}
    for header, value in headers.items():
        known = PARAMETERS.get(header.lower())
        if known is not None:
            parameters[known] = value[len("bearer ") :].strip() if known == "token" else value
        elif header.lower() != "content-type":
            rest[header] = value
    return {"prototype": "openai", "parameters": parameters | ({"headers": dict(rest)} if rest else {})}


def _text(value: JSON) -> str:
    """A value as text, without the literal quotes that some examples wrap it in."""
    text = "" if value is None else str(value).strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        text = text[1:-1].strip()
    return translate_secrets(text)
