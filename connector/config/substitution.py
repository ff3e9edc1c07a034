"""Texts put together from what is written and what was looked up."""

from __future__ import annotations

import re
from collections.abc import Callable

from connector.config.references import Malformed, Reference, Template
from connector.model import JSON
from connector.transform.placeholders import escape

__all__ = ["filled", "inert"]

SIGN_AT_END = re.compile(r"(?<!\\)(\\*)([&?@])$")
SLASHES_AT_END = re.compile(r"(?<!\\)(\\+)$")
OPENING = re.compile(r"(?<!\\)\\*[&?@]\{")


def filled(template: Template, find: Callable[[Reference], JSON]) -> str:
    """The text of a template, values as they are: for parameters in which nobody looks for placeholders."""
    return "".join(_written(part, find) for part in template)


def inert(template: Template, find: Callable[[Reference], JSON]) -> str:
    """The same as a text with placeholders: those that are written hold, what looks like one in a value is none.

    A value could also complete a placeholder with what stands beside it; so the seams are closed as well.
    """
    text = ""
    for part in template:
        text = _joined(text, escape(str(find(part))) if isinstance(part, Reference) else _written(part, find))
    return text


def _joined(text: str, piece: str) -> str:
    """Two pieces of which neither opens or shuts a placeholder with the other."""
    if piece.startswith("{"):
        text = SIGN_AT_END.sub(r"\1\1\\\2", text)
    elif OPENING.match(piece):
        text = SLASHES_AT_END.sub(r"\1\1", text)
    return text + piece


def _written(part: str | Reference | Malformed, find: Callable[[Reference], JSON]) -> str:
    if isinstance(part, Reference):
        return str(find(part))
    return part if isinstance(part, str) else part.text
