"""`serialize-json` and `deserialize-json`: JSON as text, and back."""

from __future__ import annotations

import orjson

from connector.documents import dump, parse
from connector.errors import InvalidDocument
from connector.model import JSON
from connector.transform.context import Scope
from connector.transform.declaration import Map, Mapper
from connector.transform.fields import choice
from connector.transform.mappers.kinds import of_text
from connector.transform.signals import Unfit

__all__ = ["JSON_TEXT"]


def _serialize(style: str) -> Map:
    def run(value: JSON, _: Scope) -> JSON:
        try:
            text = dump(value, "value")
        except InvalidDocument as error:
            raise Unfit(f"serialize-json: {error}") from None
        return (orjson.dumps(value, option=orjson.OPT_INDENT_2) if style == "indented" else text).decode()

    return run


def _deserialize() -> Map:
    def work(text: str, _found: JSON, _scope: Scope) -> JSON:
        try:
            return parse(text, "text")
        except InvalidDocument as error:
            raise Unfit(f"deserialize-json: {error}") from None

    return of_text("deserialize-json", work)


JSON_TEXT = (
    Mapper(
        "serialize-json",
        "The value as JSON text.",
        {"style": choice("On one line, or indented.", ("compact", "indented"), default="compact")},
        _serialize,
        sole="style",
    ),
    Mapper("deserialize-json", "The value that a JSON text holds.", {}, _deserialize),
)
