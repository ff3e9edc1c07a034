"""Prismatic's connection and its six actions, with the names and defaults that they have there."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from connector.migrate.forms.form import (
    TOKEN,
    Fields,
    Filled,
    Filling,
    Form,
    Schema,
    Section,
    call_operation,
    choice,
    fields,
    pairs,
    text,
    with_secrets,
)
from connector.model import JSON, members

__all__ = ["PRISMATIC"]

MILLISECONDS = 1000
MODEL = "Model: which one answers."


def _whole(about: str, default: int | None = None, **more: JSON) -> Schema:
    given = {} if default is None else {"default": default}
    return {"type": "integer", "description": about, **given, **more}


def _switch(about: str) -> Schema:
    return {"type": "boolean", "default": False, "description": about}


def _share(about: str, most: int) -> Schema:
    return {"type": "number", "minimum": 0, "maximum": most, "default": 1, "description": about}


CHAT: Fields = {
    "model": text(MODEL, default="gpt-3.5-turbo"),
    "prompt": text("Message: what is asked."),
    "temperature": _share("Temperature: how freely the model chooses its words.", 2),
    "topP": _share("Top P: the share of the likeliest words that it chooses from.", 1),
    "n": _whole("N: how many answers are given.", 1, minimum=1),
    "timeout": _whole("Timeout in milliseconds, of a whole call with its retries.", 10_000, minimum=1),
}
IMAGE: Fields = {
    "prompt": text("Prompt: what the image shows."),
    "n": _whole("N: how many images are made.", 1, minimum=1, maximum=10),
    "size": choice("Size of the images.", "1024x1024", "512x512", "256x256"),
}
RESPONSE: Fields = {"model": text(MODEL, default="gpt-4.1"), "input": text("Input: what is asked.")}
RAW: Fields = {
    "url": text("URL: the path below the address of the connection.", default="/models"),
    "method": choice("Method.", "GET", "POST", "PUT", "PATCH", "DELETE"),
    "data": {"description": "Data: the body as JSON."},
    "formData": pairs("Form Data: names and values."),
    "fileData": pairs("File Data: names and files."),
    "fileDataFileNames": pairs("File Data File Names: names and what the files are called."),
    "queryParams": pairs("Query Parameters."),
    "headers": pairs("Headers."),
    "responseType": choice("Response Type.", "json", "text", "binary"),
    "timeout": _whole("Timeout in milliseconds.", minimum=1),
    "debugRequest": _switch("Debug Request: log the whole request."),
    "retryDelayMS": _whole("Retry Delay in milliseconds.", 0, minimum=0),
    "retryOnAllErrors": _switch("Retry On All Errors, also on those that cannot pass."),
    "maxRetries": _whole("Max Retry Count.", 0, minimum=0),
    "useExponentialBackoff": _switch("Use Exponential Backoff: each wait doubles the last."),
}
CONNECTION: Fields = {
    "apiKey": text("API Key, best as ${NAME}.", default=TOKEN),
    "organizationId": text("Organization ID, when the key belongs to several."),
}


def _act(entity: str, action: str, request: Callable[[Filling], dict[str, JSON]]) -> Callable[[Filling], Filled]:
    def translate(filling: Filling) -> Filled:
        filled = call_operation(filling, filling.catalogue.find(entity, action), request(filling))
        _set_client(filled, filling, {("timeouts", "total"): _seconds(filling.values.get("timeout"))})
        return filled

    return translate


def _seconds(milliseconds: JSON) -> JSON:
    return milliseconds / MILLISECONDS if isinstance(milliseconds, int | float) and milliseconds else None


def _set_client(filled: Filled, filling: Filling, parameters: Mapping[tuple[str, ...], JSON]) -> None:
    """Set what is a client's here and an action's there."""
    changed = {path: value for path, value in parameters.items() if value is not None}
    for path, value in changed.items():
        filled.values["clients", filling.client, "parameters", *path] = value
    if changed:
        said = ", ".join(".".join(path) for path in changed)
        filled.notes.append(f"{said}: of the client {filling.client!r} here, for all its calls")


def _chat(filling: Filling) -> dict[str, JSON]:
    given = filling.values
    messages: JSON = [{"role": "user", "content": given.get("prompt")}] if given.get("prompt") else None
    known = {"model": given["model"], "messages": messages}
    more = {"temperature": given["temperature"], "top_p": given["topP"], "n": given["n"]}
    return {"payload": {key: value for key, value in {**known, **more}.items() if value is not None}}


def _payload(*names: str) -> Callable[[Filling], dict[str, JSON]]:
    return lambda filling: {
        "payload": {name: filling.values[name] for name in names if filling.values.get(name) is not None}
    }


def _send_raw(filling: Filling) -> Filled:
    given = filling.values
    form = given.get("formData")
    sections = {
        "query": given.get("queryParams"),
        "headers": given.get("headers"),
        "payload": form or given.get("data"),
    }
    kept = {key: value for key, value in members(with_secrets(sections)).items() if value not in (None, {}, "")} | (
        {"payload_type": "form"} if form else {}
    )
    parameters: dict[str, JSON] = {"client": filling.client, "method": given["method"], "path": filling.text("url")}
    if given["responseType"] != "json":
        parameters["answer"] = given["responseType"]
    entry: dict[str, JSON] = {"request": kept} if kept else {}
    filled = Filled(
        {("outgoing", filling.name): {**entry, "publisher": {"prototype": "http", "parameters": parameters}}}
    )
    if given.get("fileData") or given.get("fileDataFileNames"):
        filled.notes.append(
            "File Data: a raw request sends no files here; choose the operation, whose fields take them"
        )
    retries = {
        ("retry", "max_retries"): given.get("maxRetries") or None,
        ("retry", "delay"): _seconds(given.get("retryDelayMS")),
        ("retry", "all_errors"): given.get("retryOnAllErrors") or None,
        ("retry", "backoff"): None if given.get("useExponentialBackoff") or not given.get("maxRetries") else "fixed",
        ("logging",): "full" if given.get("debugRequest") else None,
        ("timeouts", "total"): _seconds(given.get("timeout")),
    }
    _set_client(filled, filling, retries)
    return filled


def _connect(filling: Filling) -> Filled:
    names = {"apiKey": "token", "organizationId": "organization"}
    parameters = {ours: filling.text(theirs) for theirs, ours in names.items() if filling.text(theirs)}
    return Filled({("clients", filling.name): {"prototype": "openai", "parameters": parameters}})


def _form(
    title: str, section: Section, about: str, known: Fields, translate: Callable[[Filling], Filled], *required: str
) -> Form:
    return Form(
        name=f"prismatic-{title.lower().replace(' ', '-')}", vendor="Prismatic", title=title, about=about,
        section=section, schema=fields(known, *required), translate=translate,
    )  # fmt: skip


_create_chat = _act("chat completions", "create", _chat)
_create_image = _act("image generations", "create", _payload("prompt", "n", "size"))
_create_response = _act("responses", "create", _payload("model", "input"))
_get_model = _act("models", "retrieve", lambda filling: {"path": {"model": filling.values["modelId"]}})
_list_models = _act("models", "list", lambda _: {})
PRISMATIC = (
    _form("Connection", "clients", "The key that actions call with.", CONNECTION, _connect, "apiKey"),
    _form("Create Chat Completion", "outgoing", "Answers a message.", CHAT, _create_chat, "model", "prompt"),
    _form("Create Image", "outgoing", "Makes images of a prompt.", IMAGE, _create_image, "prompt"),
    _form("Create Response", "outgoing", "Answers an input.", RESPONSE, _create_response, "model", "input"),
    _form("Get Model by ID", "incoming", "Reads a model.", {"modelId": text("Model ID.")}, _get_model, "modelId"),
    _form("List Models", "incoming", "Lists the models.", {}, _list_models),
    _form("Raw Request", "outgoing", "Sends any request.", RAW, _send_raw, "url", "method"),
)
