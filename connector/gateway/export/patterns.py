"""Allow lists as regular expressions: one for each operation's path, exact where two paths could be taken for one."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from connector.config.models.gateway import ADMINISTERS, HANDS_OUT, PathRule, Rule

if TYPE_CHECKING:
    from connector.catalogue import Catalogue
    from connector.catalogue.operation import Operation

from connector.gateway.export.plan import Pattern

__all__ = ["Patterns"]

PLACE = re.compile(r"\{[^{}]*\}")
SEGMENT = "[^/]+"
ADMIN_PATHS = f"(?i:{ADMINISTERS.pattern})"
CREDENTIALS = f"(?i:{HANDS_OUT.pattern})"


class Patterns:
    """The calls that rules mean, by what the catalogue says of paths."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def of(self, rules: tuple[Rule, ...] | None, *, known: bool) -> tuple[Pattern, ...]:
        """What is allowed for a client.

        Args:
            rules: None for every operation that is no administration.
            known: whether the catalogue describes the client's API.
        """
        if rules is None:
            everything = frozenset(
                name for name, each in self._operations.items() if each.key != "admin" and each.hands_out is None
            )
            return self._named(everything) if known else ()
        found: list[Pattern] = []
        for rule in rules:
            if isinstance(rule, PathRule):
                found.append(self._path_rule(rule, known=known))
            elif known:
                found += self._named(rule.operations)
        return tuple(dict.fromkeys(found))

    def _named(self, names: frozenset[str]) -> tuple[Pattern, ...]:
        return tuple(self._pattern(each) for name, each in self._operations.items() if name in names)

    def _pattern(self, operation: Operation) -> Pattern:
        path = _expression(operation.template)
        fits = re.compile(path)
        others = (
            other.template
            for other in self._operations.values()
            if other.method == operation.method and other.template != operation.template
        )
        but = tuple(_expression(other) for other in others if fits.fullmatch(PLACE.sub("x", other)))
        return Pattern(operation.method, path, but)

    def _path_rule(self, rule: PathRule, *, known: bool) -> Pattern:
        path = rule.text.split(None, 1)[1]
        handing_out = self._hand_out if known else (CREDENTIALS,)
        but = (*(() if rule.names_administration else (ADMIN_PATHS,)), *(() if rule.names_its_end else handing_out))
        return Pattern(rule.method, ".*".join(re.escape(part) for part in path.split("*")), but)

    @cached_property
    def _hand_out(self) -> tuple[str, ...]:
        """The paths of operations that hand out credentials."""
        paths = (_expression(each.template) for each in self._operations.values() if each.hands_out is not None)
        return (*dict.fromkeys(paths),)

    @cached_property
    def _operations(self) -> dict[str, Operation]:
        """The operation that each method and path means: of several with one path, the one that the gateway finds."""
        found: dict[str, Operation] = {}
        for each in self._catalogue.operations():
            match = self._catalogue.match(each.method, PLACE.sub("x", each.template))
            if match is not None and match[0].name == each.name:
                found[each.name] = each
        return found


def _expression(template: str) -> str:
    return SEGMENT.join(re.escape(part) for part in PLACE.split(template))
