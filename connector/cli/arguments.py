"""How the texts of options become values."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from connector.cli.mistyped import cause, is_meant_as_json
from connector.cli.output import say
from connector.documents import parse
from connector.errors import ConfigurationError, InvalidDocument
from connector.model import JSON, is_document, is_list

__all__ = ["header_pairs", "pairs", "read_document", "set_value"]


def pairs(texts: Iterable[str] | None, option: str) -> dict[str, JSON]:
    """`name=value` texts as an object; a name given again makes a list."""
    values: dict[str, JSON] = {}
    for text in texts or ():
        name, separator, value = text.partition("=")
        if not name or not separator:
            raise ConfigurationError(f"{option} {text!r}: write it as name=value")
        values[name] = [*_as_list(values[name]), value] if name in values else value
    return values


def _as_list(value: JSON) -> list[JSON]:
    return value if is_list(value) else [value]


def header_pairs(texts: Iterable[str] | None) -> dict[str, str]:
    """`Name: value` texts as an object."""
    values: dict[str, str] = {}
    for text in texts or ():
        name, separator, value = text.partition(":")
        if not name.strip() or not separator:
            raise ConfigurationError(f"--header {text!r}: write it as 'Name: value'")
        values[name.strip()] = value.strip()
    return values


def read_document(text: str, option: str) -> JSON:
    """JSON given as text, as @FILE, or as - for standard input."""
    if text == "-":
        if sys.stdin.isatty():
            say(f"{option} -: reading JSON from standard input; Ctrl-D ends it")
        return parse(sys.stdin.buffer.read(), where=f"{option} (standard input)")
    if text.startswith("@"):
        return parse(_read_file(Path(text[1:]), option), where=text[1:])
    try:
        return parse(text, where=option)
    except InvalidDocument as error:
        why = cause(text, option)
        raise InvalidDocument(f"{error}; {why}" if why else str(error)) from None


def _read_file(path: Path, option: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{option}: cannot read {str(path)!r}: {error.strerror or error}") from None


def set_value(document: dict[str, JSON], assignment: str, option: str = "--set") -> None:
    """Sets `a.b.0.c=value` in a document; the value is JSON, or else text."""
    path, separator, text = assignment.partition("=")
    if not path or not separator:
        raise ConfigurationError(f"{option} {assignment!r}: write it as path.to.field=value")
    *parents, last = path.split(".")
    place: JSON = document
    for parent in parents:
        place = _step_into(place, parent, assignment, option)
    _put(place, last, _json_or_text(text, f"{option} {path}"), assignment, option)


def _step_into(place: JSON, name: str, assignment: str, option: str) -> JSON:
    if is_document(place):
        if not isinstance(place.get(name), dict | list):
            place[name] = {}
        return place[name]
    if is_list(place) and name.isdigit() and int(name) < len(place):
        return place[int(name)]
    raise ConfigurationError(f"{option} {assignment!r}: there is no {name!r} to go into")


def _put(place: JSON, name: str, value: JSON, assignment: str, option: str) -> None:
    if is_document(place):
        place[name] = value
    elif is_list(place) and name.isdigit() and int(name) <= len(place):
        place[int(name) : int(name) + 1] = [value]
    else:
        raise ConfigurationError(f"{option} {assignment!r}: {name!r} is not a place in a list of {len(place)}")


def _json_or_text(text: str, where: str) -> JSON:
    try:
        return parse(text)
    except InvalidDocument as error:
        if not is_meant_as_json(text):
            return text
        why = cause(text, where) or "text of this form is given as JSON text, between double quotes"
        raise InvalidDocument(f"{where}: not JSON: {error}; {why}") from None
