"""Entities of the API: created, deleted, or acted upon by a verb."""

from __future__ import annotations

from dataclasses import replace

from pydantic import Field

from connector.documents import to_json
from connector.file_access import FileAccess
from connector.http.parameters import Section
from connector.model import JSON, InvalidRequest, Outcome, State
from connector.publisher import Publisher
from connector.publishers.intent import CallIntent, ClientCall, client_intent
from connector.publishers.prototype import Context, ImmediateWriter, Prototype
from connector.request import Wire
from connector.transform.placeholders import to_text
from connector.transform.template import compile_template

__all__ = ["OPENAI"]


class Parameters(Section):
    """What to call, and with which client."""

    client: str = Field(description="The client to call with.")
    entity: str = Field(description="An entity, or any name of a writing operation.")
    action: str | None = Field(
        default=None,
        description="create, delete, update or a verb such as cancel; create unless given or named by the entity.",
    )
    to: str | None = Field(
        default=None, description="A file for the answer's body; its name may hold placeholders on the request."
    )


class OpenAIWriter(ImmediateWriter):
    """Calls an operation; a document is its request, {path, query, payload, headers}."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters
        self._to = compile_template(parameters.to, where="publisher.parameters.to") if parameters.to else None
        self._publisher: Publisher | None = None

    async def publish(self, document: JSON, context: Context) -> Outcome:
        try:
            intent = self._intent(document, context)
        except InvalidRequest as error:
            return Outcome(State.NOT_SENT, reason=str(error), faults=error.faults)
        outcome = await context.perform(intent)
        return replace(outcome, body=to_json(outcome.body)) if isinstance(outcome.body, bytes) else outcome

    async def explain(self, document: JSON, context: Context) -> JSON:
        client = context.client(self._parameters.client)
        shown = client.explain(self._wire(document, context)).as_document()
        return shown if self._to is None else {**shown, "to": self._file(document, context)}

    def _wire(self, document: JSON, context: Context) -> Wire:
        client, publisher = context.client(self._parameters.client), self._publisher
        if publisher is None or publisher.client is not client:
            publisher = self._publisher = Publisher(client, self._parameters.entity, self._parameters.action)
        return client.prepare(publisher.operation, document, validate=context.validate)

    def _intent(self, document: JSON, context: Context) -> CallIntent:
        def prepare(request: JSON) -> Wire:
            return self._wire(request, context)

        client = context.client(self._parameters.client)
        sent = ClientCall(client=client, wire=prepare(document), request=document, prepare=prepare)
        to = self._file(document, context)
        return client_intent(
            self._parameters.client, sent, to=to, on_unknown=context.on_unknown, timeout=context.timeout
        )

    def _file(self, document: JSON, context: Context) -> str | None:
        if self._to is None or self._parameters.to is None:
            return None
        name = to_text(self._to(document, context.scope))
        return FileAccess.of(context.folder, self._parameters.to, reserved=context.reserved).resolve(name)


OPENAI = Prototype(
    "openai",
    "Entities of the API: create, delete, or a verb.",
    Parameters,
    OpenAIWriter,
    ("to",),
    calls=True,
    performs=True,
)
