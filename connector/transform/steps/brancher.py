"""`brancher`: one document becomes many."""

from __future__ import annotations

from connector.model import JSON
from connector.transform.context import Scope
from connector.transform.declaration import Action, Many, Step
from connector.transform.fields import pattern, text
from connector.transform.patterns import Pattern
from connector.transform.signals import Skipped
from connector.transform.steps.signals import typed
from connector.transform.template import Resolve

__all__ = ["BRANCHER"]


def _build(pattern: Pattern, entity_type: Resolve | None) -> Action:
    def run(document: JSON, scope: Scope) -> JSON:
        branches = Many(match.value for match in pattern.matches(document))
        if not branches:
            raise Skipped("", f"nothing at {'.'.join(pattern.segments)!r}")
        if entity_type is None:
            return branches
        return Many(typed(branch, entity_type(document, scope)) for branch in branches)

    return Action(run, many=True)


BRANCHER = Step(
    "brancher",
    "Makes a document of each part that a pattern leads to; a document without such parts is dropped.",
    {
        "pattern": pattern("The parts, data.* for example.", required=True),
        "entity_type": text("The type that each gets, as @type."),
    },
    _build,
    sole="pattern",
)
