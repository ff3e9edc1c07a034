"""Stands in for publishers that keep what they are given: nothing is written, everything is remembered."""

from __future__ import annotations

from dataclasses import replace

from connector.http.parameters import Section
from connector.model import JSON, Outcome, State
from connector.publishers import Context, Prototype
from connector.publishers.prototype import ImmediateWriter

__all__ = ["Recorder"]


class Recorder:
    """Takes the place of kinds that call nobody."""

    def __init__(self) -> None:
        self.documents: list[JSON] = []

    def __call__(self, kind: Prototype) -> Prototype:
        """The kind that is used instead; one that calls an API stays, since its calls are replayed."""
        return kind if kind.calls else replace(kind, build=self._build)

    def _build(self, _: Section) -> _Writing:
        return _Writing(self.documents)


class _Writing(ImmediateWriter):
    def __init__(self, documents: list[JSON]) -> None:
        self._documents = documents

    async def publish(self, document: JSON, context: Context) -> Outcome:  # noqa: ARG002  the protocol's signature
        self._documents.append(document)
        return Outcome(State.DONE, body=document)

    async def explain(self, document: JSON, context: Context) -> JSON:  # noqa: ARG002  the protocol's signature
        return {"document": document}
