"""The scanner of the YAML library, which stops at the first level that is too deep.

It looks at every open level again at every sign: on its own, it takes seconds for a line of brackets before it fails.
"""

from __future__ import annotations

from typing import Any

from ruamel.yaml.scanner import Scanner

from connector.documents import MAX_DEPTH

__all__ = ["BoundedScanner"]


class BoundedScanner(Scanner):
    """Raises RecursionError where a level is opened that no document may have."""

    def fetch_flow_collection_start(self, TokenClass: Any, to_push: str) -> None:  # noqa: N803  the library's name
        _check_depth(self, opening=1)
        library: Any = super()  # it has types for few of its names
        library.fetch_flow_collection_start(TokenClass, to_push)

    def add_indent(self, column: int) -> bool:
        added = super().add_indent(column)
        _check_depth(self)
        return added


def _check_depth(scanner: Any, opening: int = 0) -> None:
    """Raise RecursionError when the collections that are open nest deeper than values may stand."""
    if len(scanner.flow_context) + len(scanner.indents) + opening > MAX_DEPTH + 1:
        raise RecursionError
