"""The parts of the YAML library that read every character, without what makes them slow.

The scanner looks at every open level again at every sign: on its own, it takes seconds for a line of brackets before it
fails, so this one stops at the first level that is too deep. Parts of the library look each other up at every use, and
every possible key twice for each token; here once. A text takes two thirds of the time.
"""

from __future__ import annotations

from typing import Any

from ruamel.yaml.composer import Composer
from ruamel.yaml.parser import Parser
from ruamel.yaml.scanner import Scanner

from connector.documents import MAX_DEPTH

__all__ = ["BoundedScanner", "DirectComposer", "DirectParser"]


class BoundedScanner(Scanner):
    """Raises RecursionError where a level is opened that no document may have."""

    reader: Any = None

    def __init__(self, loader: Any) -> None:
        self.reader = loader.reader
        library: Any = super()  # it has types for few of its names
        library.__init__(loader)

    def check_token(self: Any, *choices: Any) -> bool:
        while self.need_more_tokens():
            self.fetch_more_tokens()
        return bool(self.tokens) and (not choices or isinstance(self.tokens[0], choices))

    def need_more_tokens(self: Any) -> bool:
        if self.done:
            return False
        if not self.tokens:
            return True
        if not self.possible_simple_keys:
            return False
        self.stale_possible_simple_keys()
        return any(key.token_number == self.tokens_taken for key in self.possible_simple_keys.values())

    def fetch_flow_collection_start(self, TokenClass: Any, to_push: str) -> None:  # noqa: N803  the library's name
        _check_depth(self, opening=1)
        library: Any = super()
        library.fetch_flow_collection_start(TokenClass, to_push)

    def add_indent(self, column: int) -> bool:
        added = super().add_indent(column)
        _check_depth(self)
        return added


class DirectParser(Parser):
    """Holds the scanner and the resolver."""

    scanner: Any = None
    resolver: Any = None

    def __init__(self, loader: Any) -> None:
        self.scanner, self.resolver = loader.scanner, loader.resolver
        library: Any = super()
        library.__init__(loader)

    def check_event(self: Any, *choices: Any) -> bool:
        if self.current_event is None and self.state:
            self.current_event = self.state()
        return self.current_event is not None and (not choices or isinstance(self.current_event, choices))


class DirectComposer(Composer):
    """Holds the parser and the resolver."""

    parser: Any = None
    resolver: Any = None

    def __init__(self, loader: Any) -> None:
        self.parser, self.resolver = loader.parser, loader.resolver
        library: Any = super()
        library.__init__(loader)


def _check_depth(scanner: Any, opening: int = 0) -> None:
    """Raise RecursionError when the collections that are open nest deeper than values may stand."""
    if len(scanner.flow_context) + len(scanner.indents) + opening > MAX_DEPTH + 1:
        raise RecursionError
