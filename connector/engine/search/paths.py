"""Places in a document, as a filter and a column name them: `customer.tags[0]`, `["a.b"].c`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from connector.errors import ConfigurationError
from connector.model import JSON, is_list, is_object

__all__ = ["MISSING", "FieldValue", "Path", "find_value", "parse_field", "parse_path"]

Path = Sequence[str | int]
PART = re.compile(r'\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]|(?:(?<!^)\.|^)([^.\[\]]+)')
MISSING: Final = object()
"""What is found where nothing is."""


@dataclass(frozen=True, slots=True)
class FieldValue:
    """A place and the value that must be there, as text: `5` is the number and the string."""

    path: Path
    text: str

    def fits(self, document: JSON) -> bool:
        """Return whether a document has the value in the place."""
        found = find_value(document, self.path)
        if isinstance(found, str):
            return found == self.text
        return found is not MISSING and _parse(self.text) == [type(found) is bool, found]


def _parse(text: str) -> JSON:
    """Return a text as JSON, with whether it is true or false, as Python takes true for 1."""
    try:
        value: JSON = orjson.loads(text)
    except ValueError:
        return None
    return [type(value) is bool, value]


def find_value(document: JSON, path: Path) -> JSON | object:
    """Return the value in a place; MISSING when there is none."""
    found: JSON | object = document
    for part in path:
        found = _enter(found, part)
    return found


def _enter(value: JSON | object, part: str | int) -> JSON | object:
    if isinstance(part, int):
        return value[part] if is_list(value) and part < len(value) else MISSING
    return value[part] if is_object(value) and part in value else MISSING


def parse_path(text: str) -> Path:
    """Return the parts of a path; raise ConfigurationError when it is none."""
    parts: list[str | int] = []
    at = 0
    while at < len(text):
        match = PART.match(text, at)
        if match is None:
            raise ConfigurationError(
                f'{text!r} names no place in a document; a.b[0] is allowed, and ["a.b"] for a name with a dot'
            )
        number, quoted, name = match.groups()
        parts.append(int(number) if number else orjson.loads(quoted) if quoted else name)
        at = match.end()
    if not parts:
        raise ConfigurationError("an empty place in a document; a.b[0] is allowed")
    return tuple(parts)


def parse_field(text: str) -> FieldValue:
    """Return the filter that `PATH:VALUE` means; raise ConfigurationError when it is none."""
    quoted = re.match(r'(?:\["(?:[^"\\]|\\.)*"\]|[^:"])*:', text)
    if quoted is None:
        raise ConfigurationError(f"field: {text!r} has no value; PATH:VALUE is allowed, such as customer.tier:pro")
    return FieldValue(parse_path(text[: quoted.end() - 1]), text[quoted.end() :])
