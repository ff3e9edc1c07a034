"""The actions of the component: those of Prismatic's own, by their names and defaults, and any operation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connector.hosts.offers import identifier
from connector.hosts.prismatic.inputs import Field, FieldReader
from connector.model import JSON, Effect, items, members

if TYPE_CHECKING:
    from connector.catalogue.operation import Operation

__all__ = ["chosen_actions", "own_actions"]

BODIES = frozenset({"json", "multipart"})
ANSWERS = ("json", "text", "binary")
MESSAGES = '[{"role": "user", "content": "Say hello."}]'
RESERVED = frozenset({"connection"})


@dataclass(frozen=True, slots=True)
class Own:
    """One of Prismatic's own actions."""

    label: str
    description: str
    operation: str
    inputs: Mapping[str, Field]
    model: str | None = None
    """The model that is chosen at first there; None where the action has no model."""


def _input(section: str, name: str, kind: str, label: str, **more: JSON) -> Field:
    shown: dict[str, JSON] = {"label": label, "type": "string", "required": False, **more}
    return Field(section, name, (kind,), shown)


OWN: Mapping[str, Own] = {
    "createChatCompletion": Own(
        "Create Chat Completion", "Create a completion for the chat message", "chat completions create",
        {
            "messages": _input("payload", "messages", "array", "Messages", type="code", language="json", required=True,
                               default=MESSAGES),
            "model": _input("payload", "model", "string", "Model", required=True),
            "numChoices": _input("payload", "n", "integer", "Number of choices", default="1",
                                 comments="How many answers are given."),
            "temperature": _input("payload", "temperature", "number", "Temperature", default="1",
                                  comments="From 0 to 2; models that reason take 1."),
            "timeout": _input("options", "timeout", "integer", "Timeout (ms)", default="10000",
                              comments="Milliseconds that the answer may take."),
            "topP": _input("payload", "top_p", "number", "top_p", default="1",
                           comments="From 0 to 1; models that reason take 1."),
        },
        "gpt-3.5-turbo",
    ),
    "createImage": Own(
        "Create Image", "Make images of a prompt", "image generations create",
        {
            "prompt": _input("payload", "prompt", "string", "Prompt", type="text", required=True),
            "model": _input("payload", "model", "string", "Model"),
            "n": _input("payload", "n", "integer", "Number of images", default="1", comments="From 1 to 10."),
            "size": _input(
                "payload", "size", "string", "Size", default="1024x1024",
                model=[{"label": size, "value": size} for size in ("256x256", "512x512", "1024x1024")],
                comments="Models of today refuse the two smaller ones.",
            ),
        },
        "dall-e-2",
    ),
    "createResponse": Own(
        "Create Response", "Answer an input", "responses create",
        {
            "model": _input("payload", "model", "string", "Model", required=True),
            "input": Field(
                "payload", "input", ("array", "string"), {"label": "Input", "type": "text", "required": True}
            ),
        },
        "gpt-4.1",
    ),
    "getModel": Own(
        "Get Model by ID", "Read a model", "models retrieve",
        {"modelId": _input("path", "model", "string", "Model ID", required=True)},
    ),
    "listModels": Own("List Models", "List the models", "models list", {}),
}  # fmt: skip


def own_actions(reader: FieldReader) -> dict[str, JSON]:
    """Return Prismatic's own actions; the sixth, the raw request, is the component's own code."""
    made: dict[str, JSON] = {}
    for key, own in OWN.items():
        operation = reader.catalogue.find(own.operation)
        inputs = dict(own.inputs)
        if own.model is not None:
            model = inputs["model"]
            choice = reader.models(operation, _named_models(reader, operation), own.model)
            inputs["model"] = Field(model.section, model.name, model.types, {**model.shown, **choice})
        made[key] = _describe(operation, own.label, own.description, inputs)
    return made


def callable_once(operation: Operation) -> bool:
    """Return whether a step can call an operation: by a body that it can write, and for an answer that ends."""
    return (not operation.body or bool(BODIES & {*operation.body})) and bool({*operation.answer} & {*ANSWERS, "empty"})


def chosen_actions(reader: FieldReader, operations: Iterable[Operation]) -> dict[str, JSON]:
    """Return an action for each operation."""
    made: dict[str, JSON] = {}
    for operation in operations:
        description = f"{operation.wire_name}{_warning(operation)}"
        label = f"{operation.name[:1].upper()}{operation.name[1:]}"
        made[identifier(operation.name)] = _describe(operation, label, description, _name(reader.read(operation)))
    return made


def _named_models(reader: FieldReader, operation: Operation) -> list[str]:
    """Return the models that an operation's schema names."""
    [field] = [one for one in reader.read(operation) if one.section == "payload" and one.name == "model"]
    choices = items(field.shown.get("model"))
    return [str(members(one)["value"]) for one in choices if members(one)["value"]]


def _name(fields: Iterable[Field]) -> dict[str, Field]:
    """Return fields by the names of their inputs: their own, or with their section where that is taken."""
    named: dict[str, Field] = {}
    for field in fields:
        name = field.name.replace(" ", "_")
        named[f"{field.section}_{name}" if name in named or name in RESERVED else name] = field
    return named


def _describe(operation: Operation, label: str, description: str, inputs: Mapping[str, Field]) -> dict[str, JSON]:
    answer = next((kind for kind in ANSWERS if kind in operation.answer), "json")
    return {
        "label": label,
        "description": description,
        "method": operation.method,
        "path": operation.template,
        "query": dict(operation.fixed_query),
        "headers": {"OpenAI-Beta": operation.beta} if operation.beta else {},
        "body": [kind for kind in operation.body if kind in BODIES],
        "answer": answer,
        "inputs": {name: dict(field.shown) for name, field in inputs.items()},
        "sends": {name: field.sends for name, field in inputs.items()},
    }


def _warning(operation: Operation) -> str:
    if operation.removed is not None:
        return f"; removed from the API on {operation.removed}"
    return "; a repeated step does it a second time" if operation.effect in (Effect.OPAQUE, Effect.RECONCILABLE) else ""
