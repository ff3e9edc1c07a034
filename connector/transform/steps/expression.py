"""`expression`: one expression over the whole document."""

from __future__ import annotations

from collections.abc import Callable

from connector.model import JSON
from connector.transform.context import Scope
from connector.transform.declaration import Step
from connector.transform.edit import assign
from connector.transform.expression import compile_jmespath
from connector.transform.expression.jsonata import compile_jsonata
from connector.transform.fields import PathOf, choice, path, word
from connector.transform.types import Run

__all__ = ["EXPRESSION"]

LANGUAGES: dict[str, Callable[[str], Callable[[JSON], JSON]]] = {
    "jmespath": compile_jmespath,
    "jsonata": compile_jsonata,
}


def _build(language: str, expression: str, destination: PathOf | None) -> Run:
    evaluate = LANGUAGES[language](expression)

    def run(document: JSON, scope: Scope) -> JSON:
        result = evaluate(document)
        return result if destination is None else assign(document, destination(document, scope), result)

    return run


EXPRESSION = Step(
    "expression",
    "Evaluates one expression; its result replaces the document, or goes to a destination.",
    {
        "language": choice("The expression's language.", tuple(LANGUAGES), default="jmespath"),
        "expression": word("The expression; placeholders have no meaning in it.", required=True),
        "destination": path("Where the result goes; in the document's place unless given."),
    },
    _build,
    sole="expression",
)
