"""One JMESPath expression, which must name every key that stays."""

from __future__ import annotations

from typing import Any

import jmespath
import orjson

from bench.mapping.task import record

PACKAGES = ("jmespath", "orjson")
CHANGED = {
    "price": "to_number(price)",
    "status": "(status == 'enabled' && 'active') || (status == 'disabled' && 'archived') || status",
    "attributes": "attributes.{color: color, brand: brand, material: material}",
    "title": "join('', [name, ' (', attributes.color, ')'])",
    "available": "stock.amount",
    "meta": '`{"channel": "web"}`',
    "size": "attributes.size",
}


def text() -> str:
    """Return the expression."""
    members = {key: key for key in record(0) if key not in ("_links", "internal_note")} | CHANGED
    return "{" + ", ".join(f"{key}: {value}" for key, value in members.items()) + "}"


def mapped(texts: Any) -> Any:
    expression = jmespath.compile(text())
    for given in texts:
        yield orjson.dumps(expression.search(orjson.loads(given)))
