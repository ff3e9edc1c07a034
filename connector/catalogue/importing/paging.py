"""Whether an operation lists, and how its list goes on, read from its parameters and its answer."""

from __future__ import annotations

from collections.abc import Collection

from connector.catalogue.importing.definitions import Definitions

__all__ = ["holds_list", "paging_of"]


def holds_list(definitions: Definitions, answer: str | None) -> bool:
    """Whether an answer is an array, or an object that holds one as its `data` or `items`."""
    if answer is None:
        return False
    schema = definitions.named(answer)
    properties = definitions.properties(schema)
    held = [definitions.resolve(properties[name]) for name in ("data", "items") if name in properties]
    return any("array" in str(part.get("type")) for part in (definitions.resolve(schema), *held))


def paging_of(query: Collection[str], answered: Collection[str]) -> str | None:
    """The style of paging that these query parameters and these fields of the answer allow."""
    if "page" in query and "next_page" in answered:
        return "page"
    if "after" not in query:
        return None
    if "next" in answered:
        return "next"
    return "cursor" if {"has_more", "last_id"} & set(answered) else None
