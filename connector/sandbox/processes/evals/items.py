"""The items that an eval run goes through, wherever they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connector.documents import parse
from connector.errors import InvalidDocument
from connector.model import JSON, is_object
from connector.sandbox.processes.kept import wrong
from connector.shapes import items, members

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from connector.sandbox.call import World

__all__ = ["items_of"]

MOST = 10_000
STORED: Mapping[str, str] = {"stored_completions": "chat completions", "responses": "responses"}


def items_of(world: World, source: Mapping[str, Any]) -> list[dict[str, JSON]]:
    """What a source holds, each with its `item` and, where there is one, its `sample`."""
    if source["type"] == "file_content":
        return [dict(row) for row in source["content"]]
    if source["type"] == "file_id":
        return list(_lines(world.content(source["id"])))
    kind = STORED[source["type"]]
    page = world.objects.page(kind, limit=min(source.get("limit") or MOST, MOST), where=lambda one: _fits(one, source))
    return [_stored(one) for one in page.items]


def _lines(data: bytes) -> Iterator[dict[str, JSON]]:
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            row = parse(line)
        except InvalidDocument:
            row = None
        if not is_object(row) or not is_object(row.get("item")):
            raise wrong(f"Line {number} of the file is not a JSON object with an 'item'.", "data_source.source.id")
        yield dict(row)


def _fits(stored: Mapping[str, JSON], source: Mapping[str, JSON]) -> bool:
    made = stored.get("created", stored.get("created_at", 0))
    wanted = members(source.get("metadata"))
    return (
        source.get("model") in (None, stored.get("model"))
        and (source.get("created_after") or 0) <= made <= (source.get("created_before") or made)
        and all(members(stored.get("metadata")).get(name) == value for name, value in wanted.items())
    )


def _stored(stored: Mapping[str, JSON]) -> dict[str, JSON]:
    """A stored answer as an item: what was asked, and what the model said."""
    choices = items(stored.get("choices"))
    if choices:
        text = members(choices[0].get("message")).get("content") or ""
    else:
        parts = [part for item in items(stored.get("output")) for part in items(members(item).get("content"))]
        text = "".join(part.get("text", "") for part in map(members, parts))
    item: dict[str, JSON] = {
        "input": stored.get("messages") or stored.get("input") or [],
        "output": text,
        "id": stored["id"],
    }
    return {"item": item, "sample": {"output_text": text, "model": stored.get("model")}}
