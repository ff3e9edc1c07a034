"""Secrets in a configuration: a client's parameters that hold them, and the passwords in URLs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import BaseModel, SecretStr
from pydantic.alias_generators import to_camel

from connector.config.findings import Path
from connector.config.references import references_in
from connector.http.configuration import find_section, is_sensitive
from connector.model import JSON, is_object

__all__ = ["is_secret_parameter", "passwords_in", "secret_places"]


def secret_places(model: type[BaseModel], written: Mapping[str, JSON]) -> Iterator[Path]:
    """Yield the paths of secrets that are not references."""
    for name, field in model.model_fields.items():
        for key in dict.fromkeys((name, to_camel(name))):
            value = written.get(key)
            if name == "headers" and is_object(value):
                yield from ((key, header) for header, text in value.items() if is_sensitive(header) and _is_plain(text))
            elif _is_secret(field.annotation) and _is_plain(value):
                yield (key,)
            elif is_object(value) and (section := find_section(field.annotation)) is not None:
                yield from ((key, *inner) for inner in secret_places(section, value))


def is_secret_parameter(model: type[BaseModel], path: Path) -> bool:
    """Return whether a path, in either spelling, leads to a parameter that is or holds a secret."""
    spelt = {spelling: field for name, field in model.model_fields.items() for spelling in (name, to_camel(name))}
    field = spelt.get(str(path[0])) if path else None
    if field is None:
        return False
    if path[0] == "headers" or _is_secret(field.annotation):
        return True
    section = find_section(field.annotation)
    return section is not None and is_secret_parameter(section, path[1:])


def _is_plain(value: JSON) -> bool:
    return isinstance(value, str) and value != "" and not any(references_in(value, declared=True))


def _is_secret(kind: Any) -> bool:
    if get_origin(kind) in (Union, UnionType, Annotated):
        return any(_is_secret(part) for part in get_args(kind))
    return kind is SecretStr


def passwords_in(url: str) -> Iterator[str]:
    """Yield the passwords in a URL, as written and decoded."""
    try:
        parts = urlsplit(url)
        found = [parts.password or "", *parse_qs(parts.query).get("password", ())]
    except ValueError:
        return
    for password in found:
        yield from dict.fromkeys(form for form in (password, unquote(password)) if form)
