"""Records that an API answers with and callers hand back whole.

A document declares what is handed back as a schema of its own, which often lacks fields that the answer's has. The
overlays' `x-handed-back` says which union of requests takes which unions of answers; branches that bear the same tag
are laid side by side, and the request's learns the fields that only the answer's knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from connector.catalogue.schemas import DEFS
from connector.model import JSON, is_document
from connector.shapes import items, members

if TYPE_CHECKING:
    from connector.catalogue.importing.definitions import Definitions
    from connector.catalogue.importing.overlays import Overlays

__all__ = ["accept_returned", "branches"]

UNIONS = ("anyOf", "oneOf")
TAG = "type"


def accept_returned(definitions: Definitions, overlays: Overlays) -> list[str]:
    """Let requests hold what answers hold; return notices of overlays that fit nothing."""
    notices: list[str] = []
    merger = _Merger(definitions)
    for overlay in overlays.files:
        for entry in items(overlay.content.get("x-handed-back")):
            names = [entry["as"], *entry["from"]]
            unknown = [name for name in names if name not in definitions.schemas]
            notices += [f"overlays/{overlay.file}: x-handed-back: no definition is {name}" for name in unknown]
            if not unknown:
                for name in entry["from"]:
                    merger.merge({"$ref": DEFS + name}, {"$ref": DEFS + entry["as"]})
    return notices


def branches(definitions: Definitions, schema: JSON) -> Iterator[dict[str, Any]]:
    """The object schemas that a schema stands for, through references and unions."""
    meant = definitions.resolve(schema)
    if "properties" in meant:
        yield meant  # type: ignore[misc]
    for branch in (branch for union in UNIONS for branch in items(meant.get(union))):
        yield from branches(definitions, branch)


class _Merger:
    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._merged: set[tuple[int, int]] = set()

    def merge(self, answer: JSON, request: JSON) -> None:
        """Lay the branches of an answer beside those of a request that bear the same tag."""
        requested = list(branches(self._definitions, request))
        for ours in branches(self._definitions, answer):
            for theirs in requested:
                if ours is not theirs and self._tags(ours) & self._tags(theirs):
                    self._extend(theirs, ours)
        answers, requests = self._item_schemas(answer), self._item_schemas(request)
        for item in answers:
            for other in requests:
                self.merge(item, other)

    def _extend(self, request: dict[str, Any], answer: dict[str, Any]) -> None:
        pair = (id(request), id(answer))
        if pair in self._merged:
            return
        self._merged.add(pair)
        for name, schema in answer["properties"].items():
            if name in request["properties"]:
                self.merge(schema, request["properties"][name])
            else:
                request["properties"][name] = schema

    def _tags(self, schema: dict[str, Any]) -> set[JSON]:
        """The values of the property that tells branches apart; untagged branches are all alike."""
        tag = members(self._definitions.resolve(schema["properties"].get(TAG)))
        return set(tag["enum"] if "enum" in tag else [tag.get("const")])

    def _item_schemas(self, schema: JSON) -> list[JSON]:
        meant = self._definitions.resolve(schema)
        found = [meant["items"]] if is_document(meant.get("items")) else []
        for branch in (branch for union in UNIONS for branch in items(meant.get(union))):
            found += self._item_schemas(branch)
        return found
