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
from connector.http.configuration import is_sensitive
from connector.model import JSON, is_object

__all__ = ["passwords_in", "secret_parameters", "secret_places"]


def secret_places(model: type[BaseModel], written: Mapping[str, JSON]) -> Iterator[Path]:
    """Yield the paths of secrets that are not references."""
    for name, field in model.model_fields.items():
        for key in dict.fromkeys((name, to_camel(name))):
            value = written.get(key)
            if name == "headers" and is_object(value):
                yield from ((key, header) for header, text in value.items() if is_sensitive(header) and _is_plain(text))
            elif _is_secret(field.annotation) and _is_plain(value):
                yield (key,)


def secret_parameters(model: type[BaseModel]) -> frozenset[str]:
    """Return the names, in both spellings, of the parameters that are or hold secrets."""
    names = [name for name, field in model.model_fields.items() if name == "headers" or _is_secret(field.annotation)]
    return frozenset((*names, *map(to_camel, names)))


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
