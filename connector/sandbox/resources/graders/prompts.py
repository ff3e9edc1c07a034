"""Templates with `{{ item.question }}` in them, and the model that is asked with them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from connector.documents import dump
from connector.model import JSON, is_list, is_object, items, members
from connector.sandbox.backend import Backend

__all__ = ["ModelAnswer", "UnknownVariable", "ask_model", "fill_messages", "fill_template"]

VARIABLE = re.compile(r"\{\{\s*([\w.\-\[\]]+)\s*\}\}")


class UnknownVariable(Exception):
    """A variable of a template that does not exist."""


def fill_template(template: str, variables: Mapping[str, JSON]) -> str:
    """Return the template with every variable filled in; raise UnknownVariable for an unknown one."""
    return VARIABLE.sub(lambda found: _as_text(_look_up(found[1], variables)), template)


def fill_messages(template: JSON, variables: Mapping[str, JSON]) -> list[dict[str, JSON]]:
    """Return the messages of a template in the form of a chat completion."""
    messages: list[Any] = template if is_list(template) else []
    return [
        {"role": message["role"], "content": _fill_content(message.get("content"), variables)} for message in messages
    ]


def _fill_content(content: JSON, variables: Mapping[str, JSON]) -> str:
    if isinstance(content, str):
        return fill_template(content, variables)
    if is_object(content):
        return fill_template(str(content.get("text", "")), variables)
    return "\n".join(_fill_content(part, variables) for part in content) if is_list(content) else ""


def _look_up(path: str, variables: Mapping[str, JSON]) -> JSON:
    value: JSON = variables
    for key in path.replace("[", ".").replace("]", "").split("."):
        if is_object(value) and key in value:
            value = value[key]
        elif is_list(value) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        else:
            raise UnknownVariable(f"the template names '{path}', which is not there")
    return value


def _as_text(value: JSON) -> str:
    return value if isinstance(value, str) else dump(value).decode()


class ModelAnswer(NamedTuple):
    """The text of a model's answer, or its error."""

    text: str
    usage: Mapping[str, int]
    finish_reason: str = "stop"
    error: str = ""


async def ask_model(
    backend: Backend, model: str, messages: Sequence[JSON], settings: Mapping[str, JSON] | None = None
) -> ModelAnswer:
    """Return the answer of a chat completion."""
    payload: dict[str, JSON] = {"model": model, "messages": list(messages), **(settings or {})}
    answer = await backend.call("POST", "/v1/chat/completions", payload)
    if answer.status != 200:
        error = members(members(answer.body).get("error"))
        return ModelAnswer("", {}, error=str(error.get("message", f"status {answer.status}")))
    choice = members(items(answer.body["choices"])[0])
    text = members(choice.get("message")).get("content") or ""
    return ModelAnswer(text, members(answer.body.get("usage")), choice.get("finish_reason", "stop"))
