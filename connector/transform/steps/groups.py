"""`brancher`, `aggregate`, `group-by`: one document made into many, many into one, items into groups."""

from __future__ import annotations

import time

import orjson

from connector.errors import ConfigurationError
from connector.model import JSON
from connector.transform.context import Scope
from connector.transform.declaration import Step
from connector.transform.edit import assign
from connector.transform.errors import Skipped
from connector.transform.fields import PathOf, integer, number, path, pattern, template, text
from connector.transform.paths import MISSING, Pattern, look_up
from connector.transform.placeholders import to_text
from connector.transform.steps.signals import set_type
from connector.transform.template import Resolve, Template
from connector.transform.types import Action, Gather, Many, Run

__all__ = ["AGGREGATE", "BRANCHER", "GROUP_BY"]


def _build_brancher(pattern: Pattern, entity_type: Resolve | None) -> Action:
    def run(document: JSON, scope: Scope) -> JSON:
        branches = Many(match.value for match in pattern.matches(document))
        if not branches:
            raise Skipped("", f"nothing at {'.'.join(pattern.segments)!r}")
        if entity_type is None:
            return branches
        return Many(set_type(branch, entity_type(document, scope)) for branch in branches)

    return Action(run, many=True)


BRANCHER = Step(
    "brancher",
    "Makes a document of each part that a pattern leads to; a document without such parts is dropped.",
    {
        "pattern": pattern("The parts, data.* for example.", required=True),
        "entity_type": text("The type that each gets, as @type."),
    },
    _build_brancher,
    sole="pattern",
)


Setting = Resolve | None


class Batch:
    """Collects documents until one bound is reached."""

    def __init__(
        self, bounds: tuple[Setting, Setting, Setting], value: Template, destination: PathOf, scope: Scope
    ) -> None:
        self._size, self._bytes, self._seconds = [bound(None, scope) if bound else None for bound in bounds]
        self._value, self._destination, self._scope = value.resolve, destination, scope
        self._items: list[JSON] = []
        self._weight = 0
        self.due: float | None = None

    def take(self, document: JSON) -> list[JSON]:
        item = self._value(document, self._scope)
        weight = len(orjson.dumps(item)) if self._bytes else 0
        # A document that would pass the bound begins the next batch; one that is larger by itself is a batch.
        full = self.rest() if self._bytes and self._items and self._weight + weight > self._bytes else []
        self._items.append(item)
        self._weight += weight
        if self.due is None and self._seconds is not None:
            self.due = time.monotonic() + self._seconds
        if (self._size and len(self._items) >= self._size) or (self.due is not None and time.monotonic() >= self.due):
            full += self.rest()
        return full

    def rest(self) -> list[JSON]:
        items, self._items, self._weight, self.due = self._items, [], 0, None
        return [assign({}, self._destination(None, self._scope), items)] if items else []


def _build_aggregate(size: Setting, bytes: Setting, seconds: Setting, value: Template, destination: PathOf) -> Action:  # noqa: A002
    if size is None and bytes is None and seconds is None:
        raise ConfigurationError("aggregate needs size, bytes or seconds: when is a batch complete?")

    def gather(scope: Scope) -> Gather:
        return Batch((size, bytes, seconds), value, destination, scope)

    return Action(lambda document, _: document, gather=gather)


AGGREGATE = Step(
    "aggregate",
    "Collects documents into one; the last batch may be smaller.",
    {
        "size": integer("The most documents in one.", least=1, most=1_000_000),
        "bytes": integer("The most bytes of their JSON together.", least=1),
        "seconds": number("How long the first may wait for others."),
        "value": template("What is kept of each; the document unless given.", default="&{@}"),
        "destination": path("Where the list goes.", default="items"),
    },
    _build_aggregate,
    sole="size",
)


def _build_group_by(pattern: Pattern, path: PathOf, destination: PathOf) -> Run:
    def run(document: JSON, scope: Scope) -> JSON:
        groups: dict[str, list[JSON]] = {}
        for match in pattern.matches(document):
            value = look_up(match.value, path(match.value, scope))
            groups.setdefault("" if value is MISSING else to_text(value), []).append(match.value)
        return assign(document, destination(document, scope), groups)

    return run


GROUP_BY = Step(
    "group-by",
    "Groups items by a value of each, as an object of lists; items without the value form the group of the empty name.",
    {
        "pattern": pattern("The items, lines.* for example.", required=True),
        "path": path("The value in each item.", required=True),
        "destination": path("Where the groups go.", required=True),
    },
    _build_group_by,
)
