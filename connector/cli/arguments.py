"""Options that several commands share, and how their texts become values."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from typer import Option

from connector.documents import parse
from connector.errors import ConfigurationError
from connector.model import JSON, is_document, is_list

__all__ = [
    "BaseUri",
    "Entities",
    "Headers",
    "Json",
    "Organization",
    "Parameters",
    "Project",
    "Prototype",
    "Retries",
    "Select",
    "Timeout",
    "To",
    "Token",
    "catalogue_folder",
    "client_parameters",
    "header_pairs",
    "pairs",
    "read_document",
    "set_value",
]

Prototype = Annotated[str, Option("--client", metavar="PROTOTYPE", help="The client's kind; see `client prototypes`.")]
BaseUri = Annotated[str | None, Option("--base-uri", "--base-url", metavar="U", help="Where the API is.")]
Token = Annotated[str | None, Option("--token", metavar="T", help="The key; better kept in OPENAI_API_KEY.")]
Organization = Annotated[str | None, Option("--organization", metavar="O")]
Project = Annotated[str | None, Option("--project", metavar="P")]
Parameters = Annotated[
    list[str] | None,
    Option("--parameter", metavar="NAME=VALUE", help="Any other parameter of the prototype; dots go deeper."),
]
Headers = Annotated[list[str] | None, Option("--header", "-H", metavar="'N: v'", help="A header of your own.")]
Timeout = Annotated[float | None, Option("--timeout", metavar="S", help="Seconds for the whole call.")]
Retries = Annotated[int | None, Option("--retries", metavar="N", help="Tries after the first one.")]
To = Annotated[Path | None, Option("--to", metavar="FILE", help="Write the answer's body to a file.")]
Select = Annotated[str | None, Option("--select", metavar="JMESPATH", help="Print only what this picks.")]
Json = Annotated[bool, Option("--json", help="JSON even on a terminal.")]
Entities = Annotated[
    Path | None,
    Option("--entities", envvar="OPENAI_CONNECTOR_ENTITIES", metavar="FOLDER", help="A catalogue of yours."),
]


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
        return parse(sys.stdin.buffer.read(), where=f"{option} (standard input)")
    if text.startswith("@"):
        return parse(read_file(Path(text[1:]), option), where=text[1:])
    return parse(text, where=option)


def read_file(path: Path, option: str) -> bytes:
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
    _put(place, last, _json_or_text(text), assignment, option)


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


def _json_or_text(text: str) -> JSON:
    from connector.errors import InvalidDocument

    try:
        return parse(text)
    except InvalidDocument:
        return text


def client_parameters(
    prototype: str,
    *,
    base_uri: str | None,
    token: str | None,
    organization: str | None,
    project: str | None,
    others: Iterable[str] | None,
    retries: int | None,
    uploads: Iterable[str] | None = None,
) -> dict[str, JSON]:
    """The parameters that were given, as a client takes them; a file named on the command line may be read."""
    given = {_address(prototype): base_uri, "token": token, "organization": organization, "project": project}
    parameters: dict[str, JSON] = {name: value for name, value in given.items() if value is not None}
    for assignment in others or ():
        set_value(parameters, assignment, "--parameter")
    if retries is not None:
        parameters.setdefault("retry", {})["max_retries"] = retries
    folders = [str(Path(upload.partition("=")[2]).parent) for upload in uploads or ()]
    if folders:
        parameters.setdefault("file_roots", [".", *folders])
    return parameters


def _address(prototype: str) -> str:
    """What a prototype calls its base URI."""
    from connector.http import prototypes

    own = prototypes().find(prototype).parameters.model_fields
    return "endpoint" if "endpoint" in own else "base_uri"


def catalogue_folder(folder: Path | None) -> Path | None:
    if folder is not None and not folder.is_dir():
        raise ConfigurationError(f"--entities: {str(folder)!r} is not a folder; `entities import` makes one")
    return folder
