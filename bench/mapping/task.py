"""The records that are mapped, and what they must become: set three keys, cast, look up, move, remove."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

__all__ = ["STATUS", "expected", "record", "texts"]

STATUS = {"enabled": "active", "disabled": "archived"}


def record(number: int) -> dict[str, Any]:
    """One record, about a kilobyte as JSON."""
    return {
        "id": f"prod-{number:06d}",
        "sku": f"ABC-{number}-XYZ",
        "name": "Leather shoe, brown",
        "description": "A sturdy shoe made of full-grain leather with a rubber sole. " * 5,
        "price": "129.95",
        "currency": "EUR",
        "stock": {"amount": number % 50, "warehouse": "Rotterdam", "reserved": 2},
        "categories": ["shoes", "men", "leather"],
        "attributes": {"color": "brown", "size": "43", "brand": "Acme", "material": "leather"},
        "status": "enabled" if number % 3 else "disabled",
        "_links": {"self": {"href": f"https://example.com/products/{number}"}},
        "metadata": {"created": "2025-01-02T03:04:05Z", "updated": "2025-06-07T08:09:10Z"},
        "internal_note": "do not publish",
        "vat": 21,
        "images": [{"url": "https://cdn.example.com/1.jpg"}, {"url": "https://cdn.example.com/2.jpg"}],
        "tags": ["a", "b", "c"],
    }


def expected(number: int) -> dict[str, Any]:
    """What that record becomes."""
    made = record(number)
    made["title"] = f"{made['name']} ({made['attributes']['color']})"
    made["available"] = made["stock"]["amount"]
    made["meta"] = {"channel": "web"}
    made["price"] = float(made["price"])
    made["status"] = STATUS[made["status"]]
    made["size"] = made["attributes"].pop("size")
    del made["_links"], made["internal_note"]
    return made


def texts(count: int) -> Iterator[bytes]:
    """Records as JSON text, a hundred different ones again and again."""
    different = [orjson.dumps(record(number)) for number in range(100)]
    for number in range(count):
        yield different[number % 100]
