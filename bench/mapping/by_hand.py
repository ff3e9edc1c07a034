"""Python written for this one mapping."""

from __future__ import annotations

from typing import Any

import orjson

from bench.mapping.task import STATUS

PACKAGES = ("orjson",)


def change(record: dict[str, Any]) -> dict[str, Any]:
    """The mapping, in place."""
    record["title"] = f"{record['name']} ({record['attributes']['color']})"
    record["available"] = record["stock"]["amount"]
    record.setdefault("meta", {})["channel"] = "web"
    record["price"] = float(record["price"])
    record["status"] = STATUS.get(record["status"], record["status"])
    record["size"] = record["attributes"].pop("size")
    record.pop("_links", None)
    record.pop("internal_note", None)
    return record


def mapped(texts: Any) -> Any:
    for text in texts:
        yield orjson.dumps(change(orjson.loads(text)))
