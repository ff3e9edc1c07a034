"""One JSONata expression, which sifts the keys that stay and merges what changes."""

from __future__ import annotations

from typing import Any

import jsonata
import orjson

PACKAGES = ("jsonata-python", "orjson")
EXPRESSION = """
$merge([
    $sift(function($v, $k) { $not($k in ["_links", "internal_note"]) }),
    {
        "title": name & " (" & attributes.color & ")",
        "available": stock.amount,
        "meta": {"channel": "web"},
        "price": $number(price),
        "status": status = "enabled" ? "active" : status = "disabled" ? "archived" : status,
        "size": attributes.size,
        "attributes": attributes.$sift(function($v, $k) { $k != "size" })
    }
])
"""


def mapped(texts: Any) -> Any:
    expression = jsonata.Jsonata(EXPRESSION)
    for text in texts:
        yield orjson.dumps(expression.evaluate(orjson.loads(text)))
