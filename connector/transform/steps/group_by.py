"""`group-by`: items of a list grouped by a value of each."""

from __future__ import annotations

from connector.model import JSON
from connector.transform.context import Scope
from connector.transform.declaration import Run, Step
from connector.transform.edit import assign
from connector.transform.fields import At, path, pattern
from connector.transform.paths import MISSING, look_up
from connector.transform.patterns import Pattern
from connector.transform.text import to_text

__all__ = ["GROUP_BY"]


def _build(pattern: Pattern, path: At, destination: At) -> Run:
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
    _build,
)
