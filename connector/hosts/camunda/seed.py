"""The form of Camunda's own OpenAI connector, with its names and defaults: chat and moderation, and living models."""

from __future__ import annotations

from collections.abc import Iterator

from connector.hosts.camunda.templates import REQUEST, Templates, build_template, hidden, task_properties
from connector.hosts.models import default_model, living_models
from connector.model import JSON

__all__ = ["SEED_OPERATIONS", "seed_template"]

SEED_OPERATIONS = {"chat": "chat completions create", "moderation": "moderations create"}
CUSTOM = "custom"
CHOSEN = f'=if internal_model = "{CUSTOM}" then internal_customModel else internal_model'
MESSAGES = (
    "=concatenate("
    'if internal_systemMessage != null and internal_systemMessage != "" '
    'then [{"role": "system", "content": internal_systemMessage}] else [], '
    "if internal_chatHistory != null then internal_chatHistory else [], "
    '[{"role": "user", "content": internal_prompt}])'
)
PAYLOAD = (
    '=if internal_temperature != null and internal_temperature != "" '
    'then {"model": internal_chosenModel, "messages": internal_messages, "n": number(internal_choices), '
    '"temperature": number(internal_temperature)} '
    'else {"model": internal_chosenModel, "messages": internal_messages, "n": number(internal_choices)}'
)


def seed_template(templates: Templates) -> dict[str, JSON]:
    """Return the template."""
    properties = [templates.key_property(), *_fields(templates), *task_properties(templates.job_type)]
    said = "Chat with a model, or look whether a text is harmful."
    return build_template("OpenAI: chat and moderation", "openai-connector.chat-and-moderation", said, properties)


def _fields(templates: Templates) -> Iterator[dict[str, JSON]]:
    yield {
        "id": "operation", "label": "Operation", "type": "Dropdown", "group": "request", "value": "chat",
        "choices": [{"name": name.capitalize(), "value": name} for name in SEED_OPERATIONS],
        "binding": {"type": "zeebe:property", "name": "operation"},
    }  # fmt: skip
    for name, operation in SEED_OPERATIONS.items():
        yield hidden(operation, {"type": "zeebe:taskHeader", "key": "operation"}, condition=_when(name))
    yield {
        **_input("internal_textToAnalyze", "Evaluation input", "The text to look at.", "moderation"), "type": "Text",
        "constraints": {"notEmpty": True},
    }  # fmt: skip
    yield from _models(templates)
    yield {**_input("internal_systemMessage", "System message", "Instructions that come first."), "type": "Text"}
    yield {
        **_input("internal_chatHistory", "Chat history", "Earlier messages, a list of {role, content}."),
        "type": "Text", "feel": "required",
    }  # fmt: skip
    yield {**_input("internal_prompt", "Prompt", "What the user says."), "type": "Text",
           "constraints": {"notEmpty": True}}  # fmt: skip
    yield {
        **_input("internal_choices", "Choices to generate", "How many answers the model gives."), "type": "String",
        "value": "1",
        "constraints": {
            "notEmpty": True,
            "pattern": {"value": r"^(=.*|[1-9]\d*)$", "message": "Must be a whole number from 1"},
        },
    }  # fmt: skip
    yield {
        **_input("internal_temperature", "Temperature", "From 0 to 2; models that reason take none."),
        "type": "String",
        "constraints": {
            "pattern": {"value": r"^(=.*|[01](\.\d+)?|2(\.0+)?)$", "message": "Must be a number from 0 to 2"},
        },
    }  # fmt: skip
    for name, value, used in (
        ("internal_messages", MESSAGES, "chat"),
        (f"{REQUEST}.payload", PAYLOAD, "chat"),
        (f"{REQUEST}.payload", '={"input": internal_textToAnalyze}', "moderation"),
    ):
        yield hidden(value, {"type": "zeebe:input", "name": name}, condition=_when(used))


def _models(templates: Templates) -> Iterator[dict[str, JSON]]:
    """Yield the choice of a model, and the field for one that is not in the list."""
    operation = templates.catalogue.find(SEED_OPERATIONS["chat"])
    models = living_models(templates.registry, operation, (), templates.day)
    choices = [{"name": shown, "value": name} for name, shown in models.items()]
    yield {
        "id": "model", "label": "Model", "type": "Dropdown", "group": "request", "condition": _when("chat"),
        "value": default_model(templates.registry, operation, tuple(models)),
        "choices": [*choices, {"name": "Custom", "value": CUSTOM}],
        "binding": {"type": "zeebe:input", "name": "internal_model"},
    }  # fmt: skip
    chosen: JSON = {"allMatch": [_when("chat"), {"property": "model", "equals": CUSTOM}]}
    yield {
        **_input("internal_customModel", "Custom model", "A model that is not in the list."), "type": "String",
        "condition": chosen, "constraints": {"notEmpty": True},
    }  # fmt: skip
    # A variable of its own: a modeler reads a choice from what is bound to its variable last.
    yield hidden(CHOSEN, {"type": "zeebe:input", "name": "internal_chosenModel"}, condition=_when("chat"))


def _input(name: str, label: str, description: str, operation: str = "chat") -> dict[str, JSON]:
    return {
        "id": name, "label": label, "description": description, "group": "request", "feel": "optional",
        "condition": _when(operation), "binding": {"type": "zeebe:input", "name": name},
    }  # fmt: skip


def _when(operation: str) -> dict[str, JSON]:
    return {"property": "operation", "equals": operation}
