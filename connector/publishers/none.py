"""Documents that go nowhere, to try a connection or for the sake of its answers."""

from __future__ import annotations

from connector.http.parameters import Section
from connector.model import JSON, Outcome, State
from connector.publishers.prototype import Context, ImmediateWriter, Prototype

__all__ = ["NONE"]


class Parameters(Section):
    """No parameters."""


class NullWriter(ImmediateWriter):
    """Takes documents and keeps none."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters

    async def publish(self, document: JSON, context: Context) -> Outcome:  # noqa: ARG002  the protocol's signature
        return Outcome(State.DONE, body=document)

    async def explain(self, document: JSON, context: Context) -> JSON:  # noqa: ARG002  the protocol's signature
        return {"document": document}


NONE = Prototype("none", "Nowhere: the document itself is the answer.", Parameters, NullWriter)
