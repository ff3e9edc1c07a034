"""`openai`: an operation of the catalogue called in the middle of a chain."""

from __future__ import annotations

from collections.abc import Awaitable

from connector.model import JSON
from connector.transform.calls import answered, drop_nulls
from connector.transform.context import Scope
from connector.transform.declaration import Action, Step
from connector.transform.fields import At, path, template, text, word
from connector.transform.template import Resolve, Template

__all__ = ["OPENAI"]


def _build(
    client: str,
    entity: Resolve,
    action: Resolve | None,
    path: Template,
    query: Template,
    payload: Template,
    headers: Template,
    destination: At | None,
) -> Action:
    def run(document: JSON, scope: Scope) -> Awaitable[JSON]:
        body = payload.resolve(document, scope)
        request = {
            "entity": entity(document, scope),
            "action": action(document, scope) if action else None,
            "path": path.resolve(document, scope),
            "query": query.resolve(document, scope),
            "payload": drop_nulls(body) if scope.context.omit_null else body,
            "headers": headers.resolve(document, scope),
        }
        return answered(client, "openai", request, destination, document, scope)

    return Action(run, awaits=True)


OPENAI = Step(
    "openai",
    "Calls an operation of the OpenAI API; its answer replaces the document, or goes to a destination.",
    {
        "client": word("The configured client.", default="openai"),
        "entity": text("What it is about, such as embeddings.", required=True),
        "action": text("What is done: list, retrieve, create, delete or a verb; the entity's own unless given."),
        "path": template("Values for the path.", default={}),
        "query": template("Values for the query.", default={}),
        "payload": template("The payload."),
        "headers": template("More headers.", default={}),
        "destination": path("Where the answer goes; in the document's place unless given."),
    },
    _build,
)
