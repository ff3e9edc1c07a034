"""The kinds of fields that declarations are made of: each reads what was given, and has its JSON Schema."""

from connector.transform.fields.composites import accessor, conditions, each, mappers, steps
from connector.transform.fields.scalars import (
    FixedPath,
    PathOf,
    boolean,
    choice,
    integer,
    names,
    number,
    path,
    pattern,
    raw,
    template,
    text,
    word,
)

__all__ = [
    "FixedPath",
    "PathOf",
    "accessor",
    "boolean",
    "choice",
    "conditions",
    "each",
    "integer",
    "mappers",
    "names",
    "number",
    "path",
    "pattern",
    "raw",
    "steps",
    "template",
    "text",
    "word",
]
