"""Element templates: the forms in which a modeler fills in a call, and what the worker reads of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from connector.catalogue.flat_schema import flatten
from connector.hosts.camunda.forms import FormWriter, Place
from connector.hosts.models import default_model, living_models
from connector.hosts.schemas import document_schema
from connector.model import JSON
from connector.transform.library import ready_made

if TYPE_CHECKING:
    from connector.catalogue import Catalogue
    from connector.catalogue.operation import Operation
    from connector.config import Configuration
    from connector.model_registry import ModelRegistry

__all__ = ["KEY", "REQUEST", "Templates", "build_template", "hidden", "task_properties"]

SCHEMA = "https://unpkg.com/@camunda/zeebe-element-templates-json-schema/resources/schema.json"
REQUEST = "openai_request"
"""The variable that a job's request is made in; nothing else of a process is read."""
KEY = "openai_key"
"""The variable with the placeholder of the secret whose client makes the call."""
GROUPS = {
    "authentication": "Authentication", "request": "Request", "more": "More of the request", "output": "Output mapping",
    "errors": "Error handling", "retries": "Retries",
}  # fmt: skip
UNNAMEABLE = re.compile(r"[^A-Za-z0-9._-]+")


def build_template(
    name: str, number: str, description: str, properties: Sequence[dict[str, JSON]], version: int = 1
) -> dict[str, JSON]:
    """Return an element template; groups are those that its properties name.

    Args:
        number: its id, which stays the same when its content changes.
    """
    used = {str(one.get("group")) for one in properties}
    return {
        "$schema": SCHEMA,
        "name": name,
        "id": UNNAMEABLE.sub("-", number),
        "version": version,
        "description": description,
        "category": {"id": "openai-connector", "name": "OpenAI"},
        "appliesTo": ["bpmn:Task"],
        "elementType": {"value": "bpmn:ServiceTask"},
        "engines": {"camunda": "^8.8"},
        "groups": [{"id": key, "label": label} for key, label in GROUPS.items() if key in used],
        "properties": list(properties),
    }


def hidden(value: str, binding: Mapping[str, JSON], **more: JSON) -> dict[str, JSON]:
    """Return a property that a template decides by itself."""
    return {"type": "Hidden", "value": value, "binding": dict(binding), **more}


def task_properties(job_type: str) -> Iterator[dict[str, JSON]]:
    """Yield what every template has: whose job it is, what becomes of its answer and its errors, and its retries."""
    yield hidden(job_type, {"type": "zeebe:taskDefinition", "property": "type"})
    yield {
        "id": "resultVariable", "label": "Result variable", "type": "String", "group": "output", "optional": True,
        "description": "The variable that takes the whole answer: {status, headers, body}.",
        "binding": {"type": "zeebe:taskHeader", "key": "resultVariable"},
    }  # fmt: skip
    yield {
        "id": "resultExpression", "label": "Result expression", "type": "Text", "group": "output", "feel": "required",
        "optional": True, "description": "Variables made of the answer, such as = {reply: response.body.id}.",
        "binding": {"type": "zeebe:taskHeader", "key": "resultExpression"},
    }  # fmt: skip
    yield {
        "id": "errorExpression", "label": "Error expression", "type": "Text", "group": "errors", "feel": "required",
        "optional": True,
        "description": 'What becomes of an error, such as = if error.code = "429" then bpmnError("BUSY", error.message)'
        " else null.",
        "binding": {"type": "zeebe:taskHeader", "key": "errorExpression"},
    }  # fmt: skip
    yield {
        "id": "retries", "label": "Retries", "type": "String", "group": "retries", "value": "3", "feel": "optional",
        "description": "Activations of the job before an error that may pass becomes an incident.",
        "constraints": {"notEmpty": True, "pattern": {"value": r"^(=.*|\d+)$", "message": "Must be a whole number"}},
        "binding": {"type": "zeebe:taskDefinition", "property": "retries"},
    }  # fmt: skip
    yield {
        "id": "retryBackoff", "label": "Retry back-off", "type": "String", "group": "retries", "value": "PT5S",
        "description": "The time before the next activation, such as PT5S; a longer one that the API asks for is kept.",
        "constraints": {
            "notEmpty": True,
            "pattern": {"value": r"^P(\d+D)?(T(\d+H)?(\d+M)?(\d+S)?)?$", "message": "Must be a duration, such as PT5S"},
        },
        "binding": {"type": "zeebe:taskHeader", "key": "retryBackoff"},
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Templates:
    """Makes the element templates of a catalogue and of a configuration.

    Args:
        job_type: the type of the jobs that the worker takes.
        day: on which models are looked at.
    """

    catalogue: Catalogue
    registry: ModelRegistry
    day: date
    job_type: str
    secret: str = "OPENAI_API_KEY"  # noqa: S105  a name
    """The secret that is named at first in place of a key."""

    def operation(self, operation: Operation) -> dict[str, JSON]:
        """Return the form of one operation."""
        properties = [
            hidden(operation.name, {"type": "zeebe:taskHeader", "key": "operation"}),
            self.key_property(),
            *self._path_and_query(operation),
            *self._payload(operation),
            *task_properties(self.job_type),
        ]
        said = f"{operation.wire_name}."
        if operation.removed is not None:
            said = f"{said} Removed from the API on {operation.removed}."
        number = f"openai-connector.operation.{operation.name}"
        return build_template(f"OpenAI: {operation.name}", number, said, properties)

    def outgoing(self, configuration: Configuration, name: str) -> dict[str, JSON]:
        """Return the form of an outgoing connection, by what its chain reads of a document."""
        outgoing = configuration.outgoing[name]
        own = configuration.saved_chains()
        schema = document_schema(
            outgoing.raw_chain, outgoing.raw_request, lambda each: own[each] if each in own else ready_made().get(each)
        )
        place = Place(f"{REQUEST}.document", "Document", "request", required=True)
        if schema.get("properties"):
            fields = list(FormWriter(_as_they_are).members(flatten(schema), place, "more"))
        else:
            fields = [_expression(place, "An expression that gives the document.")]
        properties = [
            hidden(name, {"type": "zeebe:taskHeader", "key": "outgoing"}),
            *fields,
            *task_properties(self.job_type),
        ]
        said = outgoing.description or f"Sends a document through {name}."
        return build_template(f"OpenAI: {name}", f"openai-connector.outgoing.{name}", said, properties)

    def key_property(self) -> dict[str, JSON]:
        """Return the field for the secret whose client makes the call."""
        return {
            "id": KEY, "label": "OpenAI API key", "type": "String", "group": "authentication",
            "value": f"{{{{secrets.{self.secret}}}}}" if self.secret else "", "feel": "optional",
            "description": "The secret that is the token of a client of the worker's configuration; the worker's own"
            " client where it is left out.",
            "binding": {"type": "zeebe:input", "name": KEY},
        }  # fmt: skip

    def _path_and_query(self, operation: Operation) -> Iterator[dict[str, JSON]]:
        writer = self._writer(operation)
        parts = {"path": self.catalogue.path_schema(operation), "query": self.catalogue.query_schema(operation)}
        for part, schema in parts.items():
            place = Place(f"{REQUEST}.{part}", part.capitalize(), "request", required=True)
            yield from writer.members(flatten(schema), place, "more")

    def _payload(self, operation: Operation) -> Iterator[dict[str, JSON]]:
        schema = self.catalogue.payload_schema(operation)
        if schema is None:
            return
        place = Place(f"{REQUEST}.payload", "Payload", "request", required=True)
        shape = flatten(schema)
        if "object" in shape.types and shape.properties:
            yield from self._writer(operation).members(shape, place, "more")
        else:
            yield _expression(place, "An expression that gives the payload.", is_needed=operation.payload_required)

    def _writer(self, operation: Operation) -> FormWriter:
        def show(path: str, choices: Sequence[str]) -> Mapping[str, str]:
            if path != f"{REQUEST}.payload.model":
                return _as_they_are(path, choices)
            models = living_models(self.registry, operation, choices, self.day)
            first = default_model(self.registry, operation, tuple(models))
            return {first: models[first], **models} if models else {}

        return FormWriter(show)


def _as_they_are(path: str, choices: Sequence[str]) -> Mapping[str, str]:  # noqa: ARG001  one of several ways to show
    return {choice: choice for choice in choices}


def _expression(place: Place, description: str, *, is_needed: bool = True) -> dict[str, JSON]:
    needed: dict[str, JSON] = {"constraints": {"notEmpty": True}} if is_needed else {}
    return {
        "id": place.path, "label": place.label, "type": "Text", "group": place.group, "feel": "required",
        "description": description, **needed, "binding": {"type": "zeebe:input", "name": place.path},
    }  # fmt: skip
