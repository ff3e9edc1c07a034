"""The texts of a command line, parsed: pairs, headers, JSON, assignments and names of operations."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from typer import BadParameter

from connector.cli.output import say
from connector.documents import parse
from connector.errors import ConfigurationError, InvalidDocument, UnknownName
from connector.model import JSON, is_document, is_list

if TYPE_CHECKING:
    from connector.catalogue import Catalogue, Operation

__all__ = [
    "API",
    "check_server",
    "find_operation",
    "guess_cause",
    "looks_like_json",
    "parse_day",
    "parse_headers",
    "parse_pairs",
    "read_document",
    "refuse_placeholders",
    "set_value",
]

API = "https://api.openai.com/v1"


def check_server(address: str) -> None:
    """Raise ConfigurationError for an address that nothing can be called at."""
    if not address.startswith(("http://", "https://")):
        raise ConfigurationError(f"--server {address!r}: an address that begins with https:// or http://")


def parse_pairs(texts: Iterable[str] | None, option: str) -> dict[str, JSON]:
    """Parse `name=value` texts into an object; a name given again makes a list."""
    values: dict[str, JSON] = {}
    for text in texts or ():
        name, separator, value = text.partition("=")
        if not name or not separator:
            raise ConfigurationError(f"{option} {text!r}: write it as name=value")
        values[name] = [*_as_list(values[name]), value] if name in values else value
    return values


def _as_list(value: JSON) -> list[JSON]:
    return value if is_list(value) else [value]


def parse_headers(texts: Iterable[str] | None) -> dict[str, str]:
    """Parse `Name: value` texts into an object."""
    values: dict[str, str] = {}
    for text in texts or ():
        name, separator, value = text.partition(":")
        if not name.strip() or not separator:
            raise ConfigurationError(f"--header {text!r}: write it as 'Name: value'")
        values[name.strip()] = value.strip()
    return values


def read_document(text: str, option: str) -> JSON:
    """Read JSON given as text, as @FILE, or as - for standard input."""
    if text == "-":
        if sys.stdin.isatty():
            say(f"{option} -: reading JSON from standard input; Ctrl-D ends it")
        return parse(sys.stdin.buffer.read(), where=f"{option} (standard input)")
    if text.startswith("@"):
        return parse(_read_file(Path(text[1:]), option), where=text[1:])
    try:
        return parse(text, where=option)
    except InvalidDocument as error:
        why = guess_cause(text, option)
        raise InvalidDocument(f"{error}; {why}" if why else str(error)) from None


def _read_file(path: Path, option: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{option}: cannot read {str(path)!r}: {error.strerror or error}") from None


def set_value(document: dict[str, JSON], assignment: str, option: str = "--set") -> None:
    """Set `a.b.0.c=value` in a document; the value is JSON, or else text."""
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
        if not looks_like_json(text):
            return text
        why = guess_cause(text, where) or "text of this form is given as JSON text, between double quotes"
        raise InvalidDocument(f"{where}: not JSON: {error}; {why}") from None


CURLY = "\u201c\u201d\u201e\u2018\u2019"
PLACEHOLDER = re.compile(r"\$\{[^{}]*\}|\$?\{\{[^{}]*\}\}")
BARE_KEY = re.compile(r"\{\s*[A-Za-z_][\w-]*\s*:")


def guess_cause(text: str, option: str) -> str:
    """Return what most likely happened to a text, and how to write it; empty if unknown."""
    stripped = text.strip()
    if _is_file(stripped):
        return f"there is a file of that name: to read it, write {option} @{stripped}"
    if any(letter in text for letter in CURLY):
        return 'it holds typographic quotes; JSON has the plain ones: "'
    if stripped.startswith("'"):
        return "the quotes around it came with it: give it between one pair of single quotes"
    if BARE_KEY.search(stripped):
        return _advise_quotes(option, "the shell took the double quotes away")
    if re.search(r"[{\[,:]\s*'", stripped):
        return 'JSON has double quotes: "'
    if stripped.startswith(("{", "[")) and not stripped.endswith(("}", "]")):
        return _advise_quotes(option, "it ends in its middle: the shell took it apart at a space")
    return f"a file is read by {option.partition(' ')[0]} @NAME" if not stripped.startswith(("{", "[")) else ""


def refuse_placeholders(value: JSON, option: str) -> None:
    """Refuse placeholders of secrets, which would be sent as they are: `${NAME}`, `${{ NAME }}`, `{{secrets.NAME}}`."""
    if is_document(value):
        for name, item in value.items():
            refuse_placeholders(item, f"{option} {name}")
    found = PLACEHOLDER.search(value) if isinstance(value, str) else None
    if found:
        raise ConfigurationError(
            f"{option}: {found[0]} stands for a secret, and would be sent as it is: on a command line the shell fills "
            'in "$NAME" between double quotes; ${NAME} belongs into a configuration'
        )


def looks_like_json(text: str) -> bool:
    """Return whether a text has the form of an object or a list."""
    return (text[:1], text[-1:]) in (("{", "}"), ("[", "]"))


def _advise_quotes(option: str, what: str) -> str:
    flag, _, path = option.partition(" ")
    given = f"{path}=" if path else ""
    return f'{what}; give it between single quotes: {flag} \'{given}{{"key": "value"}}\''


def _is_file(text: str) -> bool:
    try:
        return 0 < len(text) < 256 and Path(text).is_file()
    except (OSError, ValueError):
        return False


WIRE = re.compile(r"([A-Za-z]+)\s+(/\S*)")


def find_operation(catalogue: Catalogue, words: Sequence[str]) -> tuple[Operation, dict[str, str]]:
    """Return the operation that words name, and the path parameters that they give.

    The longest name counts, and the words after it are values: `files delete file-1`, `RetrieveFile file-1`; a path
    may hold them as well: `GET /files/file-1`. More words than the path has parameters are an error.
    """
    from connector.catalogue.index import normalize_name

    text = " ".join(words)
    wire = WIRE.fullmatch(text)
    if wire:
        found = None if "{" in text else catalogue.match(wire[1].upper(), wire[2])
        return found or (catalogue.find(text), {})
    unknown: list[UnknownName] = []
    for cut in range(len(words), 0, -1):
        try:
            operation = catalogue.find(" ".join(words[:cut]))
        except UnknownName as error:
            unknown.append(error)
            continue
        values = words[cut:]
        if len(values) <= len(operation.parameters):
            return operation, dict(zip(operation.parameters, values, strict=False))
        if normalize_name(" ".join(words[:cut])) != normalize_name(operation.entity):
            raise _too_many(operation, values)
    raise _clearest(catalogue, words, unknown)


def _too_many(operation: Operation, values: Sequence[str]) -> UnknownName:
    places = ", ".join(operation.parameters) or "none"
    hint = f"{operation.name} has {places} in its path; other values are given by --set, --query or --payload"
    return UnknownName("value", " ".join(values[len(operation.parameters) :]), (), hint)


def _clearest(catalogue: Catalogue, words: Sequence[str], unknown: Sequence[UnknownName]) -> UnknownName:
    """Return the most helpful error: one that knows the entity and suggests an action, else one with suggestions."""
    if len(words) == 2:
        try:
            catalogue.find(words[0], words[1])
        except UnknownName as error:
            return error
    return max(unknown, key=lambda error: (error.kind == "action", bool(error.suggestions)))


def parse_day(text: str) -> date:
    """Return the day that an option says."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadParameter(f"found {text!r}; a day such as 2026-12-11 is allowed") from None
