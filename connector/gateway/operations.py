"""What a path means: the operation that a call is, for clients whose API the catalogue describes."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connector.catalogue import Catalogue
    from connector.catalogue.operation import Operation
    from connector.http import Client

__all__ = ["Operations"]

ANY_API = "http"
"""A client of this prototype may be anybody's API: what its paths mean is not for our catalogue to say."""


class Operations:
    """Finds operations by paths as they go out."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._match = lru_cache(maxsize=4096)(self._matched)

    def of(self, client: Client, method: str, path: str) -> Operation | None:
        """The operation that a path below a client's address is, or None."""
        return None if client.prototype.name == ANY_API else self._match(method, path)

    def _matched(self, method: str, path: str) -> Operation | None:
        found = self.catalogue.match("GET" if method == "HEAD" else method, path)
        if found is None:
            return None
        operation = found[0]
        # A path with a version in it is looked up without; what goes out has it still, and leads elsewhere.
        return operation if operation.template.count("/") == path.count("/") else None
