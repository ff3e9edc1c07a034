"""Templates with `{{ item.question }}` in them, as evals write them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from connector.documents import dump
from connector.model import JSON, is_list, is_object

__all__ = ["Unknown", "filled", "messages_of"]

PLACE = re.compile(r"\{\{\s*([\w.\-\[\]]+)\s*\}\}")


class Unknown(Exception):
    """A template that names what is not there."""


def filled(template: str, names: Mapping[str, JSON]) -> str:
    """The template with every place filled; a name that is not there is Unknown."""
    return PLACE.sub(lambda found: _text(_value(found[1], names)), template)


def messages_of(template: JSON, names: Mapping[str, JSON]) -> list[dict[str, JSON]]:
    """The messages of a template of messages, as a chat completion takes them."""
    messages: list[Any] = template if is_list(template) else []
    return [{"role": message["role"], "content": _content(message.get("content"), names)} for message in messages]


def _content(content: JSON, names: Mapping[str, JSON]) -> str:
    if isinstance(content, str):
        return filled(content, names)
    if is_object(content):
        return filled(str(content.get("text", "")), names)
    return "\n".join(_content(part, names) for part in content) if is_list(content) else ""


def _value(path: str, names: Mapping[str, JSON]) -> JSON:
    value: JSON = names
    for key in path.replace("[", ".").replace("]", "").split("."):
        if is_object(value) and key in value:
            value = value[key]
        elif is_list(value) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        else:
            raise Unknown(f"the template names '{path}', which is not there")
    return value


def _text(value: JSON) -> str:
    return value if isinstance(value, str) else dump(value).decode()
