"""What a configuration offers to a host: operations by names and patterns, and connections that can be called."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from connector.config.models.gateway import OperationRule, parse_rule
from connector.errors import ConfigurationError, ConnectorError
from connector.model import JSON, items, members

if TYPE_CHECKING:
    from connector.catalogue import Catalogue
    from connector.catalogue.operation import Operation
    from connector.config import Configuration
    from connector.config.models import Outgoing

__all__ = ["callable_outgoing", "identifier", "match_operations"]


def match_operations(patterns: Iterable[str], catalogue: Catalogue, where: str) -> list[Operation]:
    """Return the operations that names, paths or patterns mean, each once; ConfigurationError says where there is none.

    Args:
        where: the setting or option that holds the patterns.
    """
    names: dict[str, None] = {}
    for text in patterns:
        names |= dict.fromkeys(_matching(text, catalogue, where))
    return [catalogue.find(name) for name in names]


def identifier(name: str) -> str:
    """Return an operation's name as one word, such as chatCompletionsCreate."""
    first, *rest = name.replace("-", " ").replace("_", " ").split()
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def callable_outgoing(configuration: Configuration, wanted: Iterable[str] | None) -> Iterator[tuple[str, Outgoing]]:
    """Yield connections that answer a single call, of those that are wanted; of all for None."""
    for name in configuration.outgoing if wanted is None else wanted:
        outgoing = configuration.outgoing[name]
        if not outgoing.disabled and outgoing.transport != "batch" and not _gathers(outgoing.raw_chain):
            yield name, outgoing


def _matching(text: str, catalogue: Catalogue, where: str) -> list[str]:
    """Return the names of the operations that a pattern means, or the one that a name or a path does."""
    try:
        if "*" not in text:
            return [catalogue.find(text).name]
        rule = parse_rule(text, catalogue)
    except ConnectorError as error:
        raise ConfigurationError(f"{where}: {error}") from None
    if not isinstance(rule, OperationRule):
        raise ConfigurationError(f"{where}: {text!r} is a path with a star; name operations of the catalogue")
    return sorted(rule.operations)


def _gathers(chain: JSON) -> bool:
    return any("aggregate" in (members(step).get("prototype"), *members(step)) for step in items(chain))
