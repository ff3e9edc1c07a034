"""`accessor-copy` and `accessor-move`: what one accessor names, put where another points."""

from __future__ import annotations

from collections.abc import Callable

from connector.model import JSON
from connector.transform.context import Scope
from connector.transform.declaration import Look, Run, Step
from connector.transform.fields import accessor, boolean
from connector.transform.template import Resolve

__all__ = ["RELOCATE"]


def _build(moves: bool) -> Callable[..., Run]:
    def build(source: Look, destination: Look, strip_enclosures: Resolve) -> Run:
        def run(document: JSON, scope: Scope) -> JSON:
            members = source.read(document, enclosed=not strip_enclosures(document, scope))
            if not members:
                return document
            return destination.write(source.clear(document) if moves else document, members)

        return run

    return build


FIELDS = {
    "source": accessor("What is taken.", required=True),
    "destination": accessor("Where it goes.", required=True),
    "strip_enclosures": boolean("Whether the path around what is taken is left behind.", default=True),
}
RELOCATE = (
    Step("accessor-copy", "Copies what one accessor names to where another points.", FIELDS, _build(moves=False)),
    Step("accessor-move", "Moves what one accessor names to where another points.", FIELDS, _build(moves=True)),
)
