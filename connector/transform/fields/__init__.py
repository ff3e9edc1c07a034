"""The kinds of fields that declarations are made of: each reads what was given, and has its JSON Schema."""

from connector.transform.fields.objects import each
from connector.transform.fields.places import At, Fixed, path, pattern
from connector.transform.fields.rows import accessor, conditions, mappers, steps
from connector.transform.fields.values import boolean, integer, number, raw, template, text
from connector.transform.fields.words import choice, names, word

__all__ = [
    "At",
    "Fixed",
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
