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


def mapped(texts: Any) -> Any:
    members = {key: key for key in record(0) if key not in ("_links", "internal_note")} | CHANGED
    expression = jmespath.compile("{" + ", ".join(f"{key}: {value}" for key, value in members.items()) + "}")
    for text in texts:
        yield orjson.dumps(expression.search(orjson.loads(text)))
