"""A chain of five steps."""

from __future__ import annotations

from typing import Any

import orjson

from bench.mapping.task import STATUS
from connector.transform import compile_chain

PACKAGES = ("orjson",)
SETTINGS = {"title": "&{name} (&{attributes.color})", "available": "&{stock.amount}", "meta.channel": "web"}
STEPS: list[Any] = [
    {"value-setter": {"configurations": SETTINGS}},
    {"value-mapper": {"accessor": "price", "mappers": ["cast-float"]}},
    {"value-mapper": {"accessor": "status", "mappers": [{"dictionary-map": {"map": STATUS}}]}},
    {"pattern-move": {"pattern": "attributes.size", "replacement": "size"}},
    {"value-remover": ["_links", "internal_note"]},
]


def mapped(texts: Any) -> Any:
    for record in compile_chain(STEPS).run(map(orjson.loads, texts)):
        yield orjson.dumps(record)
