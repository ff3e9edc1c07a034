"""A configured publisher at work, and the responses that become documents of another one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from connector import publishers
from connector.connections.applying import apply
from connector.connections.runtime import Runtime
from connector.errors import ConnectorError
from connector.model import JSON, Outcome
from connector.publishers import Context, DocumentWriter, Prototype
from connector.transform import Chain
from connector.transform.context import Context as Chained
from connector.transform.context import Locks

if TYPE_CHECKING:
    from connector.config.models import Component, Response

__all__ = ["Answered", "Responder", "Writer", "envelope"]


class Writer:
    """A publisher with its prototype."""

    def __init__(self, runtime: Runtime, declared: Component, where: str) -> None:
        self.kind: Prototype = runtime.publisher(publishers.prototypes().find(declared.prototype))
        self.parameters = runtime.parameters(declared, self.kind.parameters, self.kind.templates, f"{where}.parameters")
        self.writes: DocumentWriter = self.kind.build(self.parameters)


@dataclass(slots=True)
class Answered:
    """What came of a response: documents that no publisher took, or why it failed."""

    documents: list[JSON]
    failed: str = ""


class Responder:
    """What becomes of answers, or of errors."""

    def __init__(self, runtime: Runtime, declared: Response, where: str) -> None:
        self.chain: Chain = runtime.chain(declared.chain, f"{where}.chain")
        self.writer = Writer(runtime, declared.publisher, f"{where}.publisher") if declared.publisher else None

    async def respond(self, envelope: JSON, chained: Chained, context: Context, locks: Locks) -> Answered:
        """The envelope through the chain, and to the publisher."""
        applied = await apply(self.chain, envelope, chained, locks)
        if applied.failed is not None:
            return Answered([], str(applied.failed))
        if self.writer is None:
            return Answered(applied.documents)
        for document in applied.documents:
            try:
                outcome = await self.writer.writes.publish(document, context)
            except ConnectorError as error:
                return Answered([], str(error))
            if not outcome.ok:
                return Answered([], outcome.sentence())
        return Answered([])


def envelope(outcome: Outcome, request: JSON, document: JSON) -> dict[str, JSON]:
    """What response chains see: the outcome, and what it is the answer to."""
    shown: dict[str, JSON] = {
        "status": outcome.status,
        "headers": dict(outcome.headers),
        "body": outcome.body,
        "request_id": outcome.request_id,
    }
    if not outcome.ok:
        shown |= {"state": outcome.state.value, "reason": outcome.reason}
    return shown | {"request": request, "document": document}
