"""DronaHQ's connected account and its 24 actions; an action has the fields of the operation that it calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from connector.catalogue import Catalogue
from connector.migrate.forms.form import TOKEN, Filled, Filling, Form, call_operation, fields, text
from connector.model import JSON, members

__all__ = ["DRONAHQ"]

ACTIONS: Mapping[str, str] = {
    "GetModels": "Lists the models.",
    "CreateCompletion": "Completes a prompt.",
    "CreateChatCompletion": "Answers a conversation.",
    "CreateEdit": "Edits a text as told.",
    "CreateImage": "Makes images of a prompt.",
    "CreateImageEdit": "Edits an image.",
    "CreateImageVariation": "Makes variations of an image.",
    "CreateEmbeddings": "Makes vectors of texts.",
    "CreateTranscription": "Writes down what is said.",
    "CreateTranslation": "Writes down in English what is said.",
    "ListFiles": "Lists the files.",
    "UploadFile": "Uploads a file.",
    "DeleteFile": "Deletes a file.",
    "RetrieveFile": "Reads what is known of a file.",
    "RetrieveFileContent": "Reads a file.",
    "CreateFineTune": "Starts a fine-tune.",
    "ListFineTunes": "Lists the fine-tunes.",
    "RetrieveFineTune": "Reads a fine-tune.",
    "CancelFineTune": "Cancels a fine-tune.",
    "ListFineTuneEvents": "Lists what happened in a fine-tune.",
    "DeleteFineTunedModel": "Deletes a model that was fine-tuned.",
    "CreateModeration": "Checks a text for harm.",
    "ListEngines": "Lists the engines.",
    "RetrieveEngine": "Reads an engine.",
}
"""The catalogue knows each name as another one of the operation that it calls."""
PARTS = ("path", "query", "payload")


def _schemas(action: str, catalogue: Catalogue) -> dict[str, JSON]:
    operation = catalogue.find(action)
    found: dict[str, JSON] = {
        "path": catalogue.path_schema(operation),
        "query": catalogue.query_schema(operation),
        "payload": catalogue.payload_schema(operation),
    }
    return {part: schema for part, schema in found.items() if schema and schema.get("properties", schema.get("$ref"))}


def _describe(action: str) -> Callable[[Catalogue], dict[str, JSON]]:
    """Return what makes the schema of an action: a member for each part of its request."""

    def describe(catalogue: Catalogue) -> dict[str, JSON]:
        about = {"path": "Values of the path.", "query": "Values behind the question mark.", "payload": "The body."}
        parts = {part: {**schema, "description": about[part]} for part, schema in _schemas(action, catalogue).items()}
        definitions: dict[str, JSON] = {}
        for schema in parts.values():
            definitions |= members(schema.pop("$defs", {}))
            schema.pop("$schema", None)
        return {
            "type": "object", "properties": parts, "required": ["path"] if "path" in parts else [],
            "additionalProperties": False, "$defs": definitions,
        }  # fmt: skip

    return describe


def _translate(action: str) -> Callable[[Filling], Filled]:
    def translate(filling: Filling) -> Filled:
        operation = filling.catalogue.find(action)
        return call_operation(filling, operation, {part: filling.values.get(part) for part in PARTS})

    return translate


def _connect(filling: Filling) -> Filled:
    parameters: dict[str, JSON] = {"token": filling.text("token"), "on_removed": "successor"}
    filled = Filled({("clients", filling.name): {"prototype": "openai", "parameters": parameters}})
    filled.notes.append("actions of removed operations call what replaced them: `on_removed: successor`")
    return filled


DRONAHQ = (
    Form(
        name="dronahq-connected-account",
        vendor="DronaHQ",
        title="Connected account",
        about="The key that actions call with.",
        section="clients",
        schema=fields({"token": text("API key, best as ${NAME}.", default=TOKEN)}, "token"),
        translate=_connect,
    ),
    *(
        Form(
            name=f"dronahq-{action}",
            vendor="DronaHQ",
            title=action,
            about=about,
            section="incoming" if action.startswith(("Get", "List", "Retrieve")) else "outgoing",
            schema=_describe(action),
            translate=_translate(action),
        )
        for action, about in ACTIONS.items()
    ),
)
