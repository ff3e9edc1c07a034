"""One attempt at a call that a host asked for: its answers are kept with the task's end, for whoever asks again."""

from __future__ import annotations

from connector.delivery.attempt import RouteContext, TaskAttempt
from connector.delivery.outbox import publish_to_file
from connector.engine import Change, Task, TaskState
from connector.errors import ConnectorError
from connector.model import JSON
from connector.pipeline.attempt import Ending
from connector.pipeline.chains import apply
from connector.pipeline.decisions import AttemptEnded
from connector.pipeline.spec import Writer
from connector.publishers.file import FileWriter

__all__ = ["ANSWERS", "HostAttempt"]

ANSWERS = "answers of host calls"
"""The space of records with the answers of finished calls, by their tasks."""


class HostAttempt(TaskAttempt):
    """One attempt at one call of a host.

    Args:
        route: the tool, as a route without an incoming connection.
        task: the call.
    """

    def __init__(self, route: RouteContext, task: Task) -> None:
        super().__init__(route, task)
        self.answers: list[JSON] = []
        """What the host is answered: what the answer's chain made, or the bodies as they came."""
        self.response: dict[str, JSON] = {}
        """Status and headers of the last answer; of an error its body as well."""

    @property
    def wants_answers(self) -> bool:
        return True

    async def respond(self, ending: Ending, shown: JSON) -> str:
        responder = self._route.spec.answer if ending == ":answer" else self._route.spec.error
        kept = ("status", "headers") if ending == ":answer" else ("status", "headers", "body")
        self.response = {name: shown[name] for name in kept}
        if responder is None:
            self.answers += [shown["body"]] if ending == ":answer" else []
            return ""
        applied = await apply(responder.chain, shown, self._chain_context, self._route.locks)
        if applied.failed is not None:
            return str(applied.failed)
        try:
            why = await self._pass_on(responder.writer, applied.documents)
        except ConnectorError as error:
            return str(error)
        self.answers += applied.documents if ending == ":answer" else []
        return why

    async def settle(self, ended: AttemptEnded) -> Change:
        change = await super().settle(ended)
        if ended.state in (TaskState.FINISHED, TaskState.FAILED):
            documents = self.answers if ended.state is TaskState.FINISHED else []
            kept: JSON = self._route.shared.redact({"documents": documents, "response": self.response})
            change.records = {**change.records, (ANSWERS, str(self._task.id)): kept}
        return change

    async def _pass_on(self, writer: Writer | None, documents: list[JSON]) -> str:
        """Pass answers on as the connection says; calls are a part of this attempt, and in its journal."""
        if writer is None:
            return ""
        for document in documents:
            if isinstance(writer.writes, FileWriter):
                redact = self._route.shared.redact
                outcome = await publish_to_file(writer.writes, document, self._context, self.outbox, redact)
            else:
                outcome = await writer.writes.publish(document, self._context)
            if not outcome.ok:
                return outcome.sentence()
        return ""
