"""A dlt resource whose records pass through a map written by hand, one at a time."""

from __future__ import annotations

from typing import Any

import dlt
import orjson

from bench.mapping.by_hand import change

PACKAGES = ("dlt", "orjson")


def mapped(texts: Any) -> Any:
    @dlt.resource(name="products")
    def products() -> Any:
        for text in texts:
            yield orjson.loads(text)

    for record in products().add_map(change):
        yield orjson.dumps(record)
