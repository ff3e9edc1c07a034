"""Which operation a request is for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from connector.catalogue import Catalogue, Operation
from connector.sandbox.messages import Refused

__all__ = ["Router", "Target"]

METHODS = ("GET", "POST", "DELETE")
MOST_KNOWN = 512


class Target(NamedTuple):
    """An operation with the values of its path."""

    operation: Operation
    path: Mapping[str, str]


class Router:
    """Finds operations by method and path, with the version in front or without."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._known: dict[tuple[str, str], Target] = {}

    def find(self, method: str, path: str) -> Target:
        """What a path with its query leads to; refused when that is nothing, or nothing of that method."""
        known = self._known.get((method, path))
        if known is not None:
            return known
        found = self._catalogue.match(method, path)
        if found is None:
            raise self._refusal(method, path)
        target = Target(*found)
        if not target.path and "?" not in path and len(self._known) < MOST_KNOWN:
            self._known[method, path] = target
        return target

    def _refusal(self, method: str, path: str) -> Refused:
        bare = path.partition("?")[0]
        allowed = [other for other in METHODS if self._catalogue.match(other, path)]
        if not allowed:
            return Refused(404, f"Invalid URL ({method} {bare})")
        message = f"Not allowed to {method} on {bare}. (HINT: {' and '.join(allowed)} would be.)"
        return Refused(405, message, code="method_not_supported", headers={"Allow": ", ".join(allowed)})
