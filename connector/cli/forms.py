"""`-F` as curl has it: fields, files, their names and types, and lists."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from connector.errors import ConfigurationError
from connector.model import JSON

__all__ = ["form_of", "uploads_of"]

ATTRIBUTE = re.compile(r";\s*(filename|type)=(\"[^\"]*\"|[^;]*)")
WRITE = "write NAME=VALUE, or NAME=@FILE;filename=NAME;type=TYPE"


def form_of(texts: Sequence[str] | None) -> dict[str, JSON]:
    """The fields of a form; a name that is given again has a list, and every name is sent as it is written."""
    form: dict[str, JSON] = {}
    for text in texts or ():
        name, value = _split(text)
        if not name.removesuffix("[]"):
            raise ConfigurationError(f"--form {text!r}: a field has a name; {WRITE}")
        field = _file(value, text) if value.startswith("@") else value
        form[name] = [*form[name], field] if name in form else [field]
    return {name: fields if len(fields) > 1 else fields[0] for name, fields in form.items()}


def uploads_of(texts: Iterable[str] | None) -> list[str]:
    """The files that a form names."""
    values = (_split(text)[1] for text in texts or ())
    return [_attributes(value[1:])[0] for value in values if value.startswith("@")]


def _split(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise ConfigurationError(f"--form {text!r}: {WRITE}")
    return name, value


def _file(value: str, text: str) -> JSON:
    path, attributes = _attributes(value[1:])
    if not path:
        raise ConfigurationError(f"--form {text!r}: no file is named; {WRITE}")
    names = {"filename": "filename", "type": "content_type"}
    return {"$file": path} | {names[key]: given for key, given in attributes.items()}


def _attributes(text: str) -> tuple[str, dict[str, str]]:
    """A file's path, and what is said behind it; a file whose own name has a semicolon is meant as it is."""
    if Path(text).is_file():
        return text, {}
    first = ATTRIBUTE.search(text)
    if first is None:
        return text, {}
    found = {match[1]: match[2].strip().strip('"') for match in ATTRIBUTE.finditer(text)}
    return text[: first.start()], found
