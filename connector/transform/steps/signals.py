"""`type-setter`, `exception`, `breakpoint-logger`: say something about a document."""

from __future__ import annotations

from connector.model import JSON, is_document
from connector.request.display import describe_value
from connector.transform.context import Scope
from connector.transform.declaration import Step
from connector.transform.errors import NotYet, Unfit
from connector.transform.fields import boolean, template, text
from connector.transform.placeholders import to_text
from connector.transform.template import Resolve, Template
from connector.transform.types import Run

__all__ = ["SIGNALS", "set_type"]


def set_type(document: JSON, name: str) -> JSON:
    """Return the document with a type."""
    if not is_document(document):
        raise Unfit(f"found {describe_value(document)}, only an object can have a type")
    return {**document, "@type": name}


def _build_type(entity_type: Resolve) -> Run:
    return lambda document, scope: set_type(document, entity_type(document, scope))


def _build_exception(message: Template, *, retry: bool) -> Run:
    error = NotYet if retry else Unfit

    def run(document: JSON, scope: Scope) -> JSON:
        raise error(to_text(message.resolve(document, scope)) or "an exception without a message")

    return run


def _build_breakpoint() -> Run:
    return lambda document, _: document


SIGNALS = (
    Step(
        "type-setter",
        "Says what a document is: its @type.",
        {"entity_type": text("The type.", required=True)},
        _build_type,
        sole="entity_type",
    ),
    Step(
        "exception",
        "Fails the document.",
        {
            "message": template("The reason.", default="an exception step was reached"),
            "retry": boolean("Whether a route tries the document again later, as often as it says.", default=False),
        },
        _build_exception,
        sole="message",
    ),
    Step(
        "breakpoint-logger", "Shows the document as it is here in --explain; does nothing else.", {}, _build_breakpoint
    ),
)
