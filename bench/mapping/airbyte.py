"""The record transformations of Airbyte's low-code connectors; what they compute is written in Jinja."""

from __future__ import annotations

from typing import Any

import orjson
from airbyte_cdk.sources.declarative.transformations import AddFields, RemoveFields
from airbyte_cdk.sources.declarative.transformations.add_fields import AddedFieldDefinition

from bench.mapping.task import STATUS

PACKAGES = ("airbyte-cdk", "orjson")
FIELDS: list[tuple[list[str], str, type | None]] = [
    (["title"], "{{ record['name'] }} ({{ record['attributes']['color'] }})", str),
    (["available"], "{{ record['stock']['amount'] }}", int),
    (["meta", "channel"], "web", str),
    (["price"], "{{ record['price'] | float }}", float),
    (["status"], f"{{{{ {STATUS}.get(record['status'], record['status']) }}}}", str),
    (["size"], "{{ record['attributes']['size'] }}", str),
]
REMOVED = [["attributes", "size"], ["_links"], ["internal_note"]]


def mapped(texts: Any) -> Any:
    added = [AddedFieldDefinition(path, value, kind, parameters={}) for path, value, kind in FIELDS]
    steps = (AddFields(fields=added, parameters={}), RemoveFields(field_pointers=REMOVED, parameters={}))
    for text in texts:
        record = orjson.loads(text)
        for step in steps:
            step.transform(record, config={}, stream_state=None, stream_slice=None)
        yield orjson.dumps(record)
