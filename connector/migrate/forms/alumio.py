"""Alumio's forms of an HTTP client, a subscriber and a publisher for OpenAI: by way of what its export holds."""

from __future__ import annotations

from collections.abc import Callable

from connector.migrate.alumio import translate_objects
from connector.migrate.forms.form import TOKEN, Fields, Filled, Filling, Form, Schema, Section, fields, pairs, text
from connector.migrate.report import Report
from connector.model import JSON, is_object

__all__ = ["ALUMIO"]

REQUEST: Schema = {
    "type": "object",
    "description": "The request: what it asks for in its path and query, and its headers.",
    "properties": {
        "path": pairs("Values of the path, such as {file_id: file-1}."),
        "query": pairs("Values behind the question mark."),
        "headers": pairs("Headers."),
    },
}
CLIENT: Fields = {
    "baseUri": text("Base URI.", default="https://api.openai.com/v1"),
    "token": text("Token: the key, best as ${NAME}.", default=TOKEN),
    "organization": text("Organization, when the key belongs to several."),
}
KINDS: dict[Section, str] = {
    "clients": "http-client", "incoming": "incoming-configuration", "outgoing": "outgoing-configuration"
}  # fmt: skip


def _exported(section: Section, identifier: str, body: JSON) -> JSON:
    """Return an object as a line of an export holds it."""
    kind = KINDS[section]
    return {
        "type": kind, "identifier": identifier, "name": identifier, "description": "", "owner": None,
        "disabled": False, "object": body,
    }  # fmt: skip


def _export(section: Section, filling: Filling) -> JSON:
    values = {key: value for key, value in filling.values.items() if value not in (None, "", {}, [])}
    if section == "clients":
        return _exported(section, filling.name, {"prototype": "openai-http-client", "parameters": values})
    part = "subscriber" if section == "incoming" else "publisher"
    used = {"prototype": f"openai-{part}", "parameters": {"client": filling.client, **values}}
    return _exported(section, filling.name, {"parameters": {part: used, "transformers": []}})


def _translate(section: Section) -> Callable[[Filling], Filled]:
    def translate(filling: Filling) -> Filled:
        exported, report = _export(section, filling), Report()
        client = _exported("clients", filling.client, {"prototype": "openai-http-client", "parameters": {}})
        folder = translate_objects([exported] if section == "clients" else [client, exported], report)
        (entry,) = (one for (found, _), one in folder.entries.items() if found == section)
        body = entry.body
        if is_object(body):
            body = {key: value for key, value in body.items() if (key, value) != ("description", filling.name)}
        notes = [f"{line.path}: {line.what}" if line.path else line.what for line in report.lines]
        return Filled({(section, filling.name): body}, notes, [exported])

    return translate


def _form(section: Section, title: str, about: str, known: Fields, *required: str) -> Form:
    return Form(
        name=f"alumio-{title.lower().replace(' ', '-')}", vendor="Alumio", title=title, about=about, section=section,
        schema=fields(known, *required), translate=_translate(section),
    )  # fmt: skip


def _call(entity: str, action: str) -> Fields:
    return {
        "entity": text("The entity.", default=entity),
        "action": text("The action.", default=action),
        "request": REQUEST,
    }


CALL = ("entity", "action")
ALUMIO = (
    _form("clients", "HTTP client", "The OpenAI HTTP client.", CLIENT, "token"),
    _form("incoming", "Subscriber", "An incoming configuration, OpenAI subscriber.", _call("files", "list"), *CALL),
    _form(
        "outgoing",
        "Publisher",
        "An outgoing configuration, OpenAI publisher.",
        _call("chat completions", "create"),
        *CALL,
    ),
)
