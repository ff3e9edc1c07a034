"""Rules of an allow list: operations by their names, and paths that no catalogue knows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import translate
from typing import TYPE_CHECKING

from connector.catalogue.names import squeezed
from connector.errors import ConfigurationError, UnknownName

if TYPE_CHECKING:
    from connector.catalogue import Catalogue
    from connector.catalogue.operation import Operation

__all__ = ["OperationRule", "PathRule", "Rule", "hands_out_credentials", "is_administration", "rule"]

ADMINISTERS = re.compile(r"(?:/v\d+)?/(?:organization|projects)(?:/.*)?", re.IGNORECASE)
HANDS_OUT = re.compile(
    r".*(?:secret|token|key|credential|service_account)s?/?|.*/(?:realtime|chatkit)/(?:\w+_)?sessions/?", re.IGNORECASE
)
"""The paths that hand out credentials by what they are called, where no catalogue knows them."""
READING = ("GET", "HEAD", "OPTIONS")
WIRE = re.compile(r"([A-Z]+|\*)\s+(/\S*)")


def is_administration(path: str, operation: Operation | None) -> bool:
    """Whether a call administers an organization: what names everything does not mean that."""
    if operation is not None:
        return operation.key == "admin"
    return ADMINISTERS.fullmatch(path) is not None


def hands_out_credentials(method: str, path: str, operation: Operation | None) -> bool:
    """Whether an answer holds a key or a secret that works past every limit: what names everything does not mean it."""
    if operation is not None:
        return operation.hands_out is not None
    return method not in READING and HANDS_OUT.fullmatch(path) is not None


@dataclass(frozen=True, slots=True)
class OperationRule:
    """Operations of the catalogue: `chat completions create`, `models *`, `* list`."""

    text: str
    operations: frozenset[str]
    """By their names."""

    def allows(self, method: str, path: str, operation: Operation | None) -> bool:  # noqa: ARG002  see Rule
        return operation is not None and operation.name in self.operations


@dataclass(frozen=True, slots=True)
class PathRule:
    """Paths as they are called: `POST /custom/*`; a star in the path stands for anything, slashes too."""

    text: str
    method: str
    pattern: re.Pattern[str]
    names_administration: bool
    names_its_end: bool
    """Whether the last part of the path is named, and the method."""

    def allows(self, method: str, path: str, operation: Operation | None) -> bool:
        if self.method not in ("*", method) or not self.pattern.fullmatch(path):
            return False
        if not self.names_its_end and hands_out_credentials(method, path, operation):
            return False
        return self.names_administration or not is_administration(path, operation)


Rule = OperationRule | PathRule


def rule(text: str, catalogue: Catalogue) -> Rule:
    """The rule that a text is; one that would allow nothing raises ConfigurationError."""
    wire = WIRE.fullmatch(text.strip())
    if wire:
        named = ADMINISTERS.fullmatch(wire[2]) is not None
        its_end = wire[1] != "*" and "*" not in wire[2].rstrip("/").rpartition("/")[2]
        return PathRule(text, wire[1], re.compile(translate(_plain(wire[2]))), named, its_end)
    names = _named(text, catalogue) if "*" in text else frozenset({_found(text, catalogue)})
    if not names:
        raise ConfigurationError(f"allow: {text!r} matches no operation; `openai-connector entities list` shows all")
    return OperationRule(text, names)


def _plain(pattern: str) -> str:
    """A pattern in which the star alone is special."""
    return pattern.replace("[", "[[]").replace("?", "[?]")


def _found(text: str, catalogue: Catalogue) -> str:
    try:
        return catalogue.find(text).name
    except UnknownName as error:
        raise ConfigurationError(f"allow: {error}; or write a path such as `POST /custom/*`") from None


def _named(text: str, catalogue: Catalogue) -> frozenset[str]:
    """The operations whose entity and action fit, without those that must be named.

    An entity that is any does not mean those of administrators, and no star means what hands out credentials.
    """
    entity, action = _parts(text)
    fits_entity, fits_action = _pattern(entity), _pattern(action)
    return frozenset(
        operation.name
        for operation in catalogue.operations()
        if operation.hands_out is None
        and (not entity.startswith("*") or operation.key != "admin")
        and any(fits_entity.fullmatch(squeezed(e)) and fits_action.fullmatch(squeezed(a)) for e, a in _names(operation))
    )


def _parts(text: str) -> tuple[str, str]:
    words: Sequence[str] = re.split(r"[\s.]+", text.strip())
    return (" ".join(words[:-1]), words[-1]) if len(words) > 1 else (words[0], "*")


def _pattern(words: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(squeezed(part)) for part in words.split("*")))


def _names(operation: Operation) -> list[tuple[str, str]]:
    """The operation's name, and the verb it is also found by."""
    names = [(operation.entity, operation.action)]
    return [*names, (operation.on, operation.verb)] if operation.on and operation.verb else names
