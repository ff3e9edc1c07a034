"""Operations as they are typed: names in one word or in many, and the values of a path after them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from connector.catalogue.names import squeezed
from connector.errors import UnknownName

if TYPE_CHECKING:
    from connector.catalogue import Catalogue, Operation

__all__ = ["operation_of"]

WIRE = re.compile(r"([A-Za-z]+)\s+(/\S*)")


def operation_of(catalogue: Catalogue, words: Sequence[str]) -> tuple[Operation, dict[str, str]]:
    """The operation that words name, and the path parameters that they give.

    The longest name counts, and what follows it are values: `files delete file-1`, `RetrieveFile file-1`; a path may
    hold them as well: `GET /files/file-1`. Words that the path has no place for make the name unknown.
    """
    text = " ".join(words)
    wire = WIRE.fullmatch(text)
    if wire:
        found = None if "{" in text else catalogue.match(wire[1].upper(), wire[2])
        return found or (catalogue.find(text), {})
    unknown: list[UnknownName] = []
    for cut in range(len(words), 0, -1):
        try:
            operation = catalogue.find(" ".join(words[:cut]))
        except UnknownName as error:
            unknown.append(error)
            continue
        values = words[cut:]
        if len(values) <= len(operation.parameters):
            return operation, dict(zip(operation.parameters, values, strict=False))
        if squeezed(" ".join(words[:cut])) != squeezed(operation.entity):
            raise _too_many(operation, values)
    raise _clearest(catalogue, words, unknown)


def _too_many(operation: Operation, values: Sequence[str]) -> UnknownName:
    places = ", ".join(operation.parameters) or "none"
    hint = f"{operation.name} has {places} in its path; other values are given by --set, --query or --payload"
    return UnknownName("value", " ".join(values[len(operation.parameters) :]), (), hint)


def _clearest(catalogue: Catalogue, words: Sequence[str], unknown: Sequence[UnknownName]) -> UnknownName:
    """The error that helps most: one that knows the entity and suggests an action, or else suggests anything."""
    if len(words) == 2:
        try:
            catalogue.find(words[0], words[1])
        except UnknownName as error:
            return error
    return max(unknown, key=lambda error: (error.kind == "action", bool(error.suggestions)))
