"""Texts put together from what is written and what was looked up."""

from __future__ import annotations

import re
from collections.abc import Callable

from connector.config.references import Malformed, Reference, Template
from connector.model import JSON
from connector.transform.text import escape, has_placeholder

__all__ = ["filled", "inert"]

SIGN_AT_END = re.compile(r"(?<!\\)(?:\\\\)*[&?@]$")
SLASHES_AT_END = re.compile(r"\\+$")


def filled(template: Template, find: Callable[[Reference], JSON]) -> str:
    """The text of a template, values as they are: for parameters in which nobody looks for placeholders."""
    return "".join(_written(part, find) for part in template)


def inert(template: Template, find: Callable[[Reference], JSON]) -> str:
    """The same as a text with placeholders: those that are written hold, what looks like one in a value is none.

    A value could also complete a placeholder with what stands beside it; so the seams are closed as well.
    """
    text = ""
    for index, part in enumerate(template):
        if not isinstance(part, Reference):
            text += _written(part, find)
            continue
        value = str(find(part))
        if value.startswith("{") and SIGN_AT_END.search(text):
            text = f"{text[:-1]}\\{text[-1]}"
        text += _before(escape(value), template[index + 1 : index + 2])
    return text


def _before(value: str, following: Template) -> str:
    """A value that neither opens nor shuts a placeholder with the text that follows it."""
    after = following[0] if following and isinstance(following[0], str) else ""
    if after.startswith("{") and SIGN_AT_END.search(value):
        return f"{value[:-1]}\\{value[-1]}"
    if has_placeholder(after[:2]):
        return SLASHES_AT_END.sub(lambda slashes: slashes[0] * 2, value)
    return value


def _written(part: str | Reference | Malformed, find: Callable[[Reference], JSON]) -> str:
    if isinstance(part, Reference):
        return str(find(part))
    return part if isinstance(part, str) else part.text
