"""The results of answers and errors: tasks of the routes that read them, of an implied route, or lines of a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from connector.delivery.call_records import Redaction
from connector.delivery.new_tasks import TaskIdentity
from connector.delivery.outbox import Outbox, publish_to_file
from connector.delivery.route_spec import ANSWER, ERROR, RouteSpec
from connector.engine import NewTask, Task
from connector.errors import ConfigurationError, ConnectorError
from connector.model import JSON
from connector.pipeline import Runtime
from connector.pipeline.attempt import Ending
from connector.pipeline.chains import apply
from connector.pipeline.spec import Responder
from connector.publishers import Context
from connector.publishers.file import FileWriter
from connector.transform import Chain
from connector.transform.context import Context as Chained
from connector.transform.context import Locks

if TYPE_CHECKING:
    from connector.config.models import Incoming

__all__ = ["Responses"]

ROUTE = "route"
"""The kind of subscriber that reads another route's answers."""


@dataclass(frozen=True, slots=True)
class Follower:
    """A route that reads the answers, or the errors, of another."""

    identity: TaskIdentity
    chain: Chain
    ending: str


class Responses:
    """Routes the answers and errors of one route."""

    def __init__(self, runtime: Runtime, spec: RouteSpec, redact: Redaction) -> None:
        self._spec = spec
        self._hide = redact
        self._locks = Locks()
        self._find_followers = _find_followers(runtime, spec)
        self.answers = spec.answer is not None or any(one.ending == ANSWER for one in self._find_followers)
        """Whether the answers are read."""

    async def respond(
        self, ending: Ending, envelope: JSON, task: Task, chained: Chained, context: Context, outbox: Outbox
    ) -> str:
        """Add the results of an answer or error to the outbox; return why that failed, if it did."""
        responder = self._spec.answer if ending == ANSWER else self._spec.error
        followers = [one for one in self._find_followers if one.ending == ending]
        if responder is None and not followers:
            return ""
        documents = [envelope]
        if responder is not None:
            applied = await apply(responder.chain, envelope, chained, self._locks)
            if applied.failed is not None:
                return str(applied.failed)
            documents = applied.documents
        if any(self._hide(document) is not document for document in documents):
            return "what came of it holds a secret, and secrets are not kept; give them to a client, which sends them"
        try:
            why = await self._publish(ending, responder, documents, task, context, outbox)
            for follower in followers:
                why = why or await self._follow(follower, documents, task, chained, outbox)
        except ConnectorError as error:
            return str(error)
        return why

    async def _publish(
        self,
        ending: str,
        responder: Responder | None,
        documents: Sequence[JSON],
        task: Task,
        context: Context,
        outbox: Outbox,
    ) -> str:
        writer = responder.writer if responder is not None else None
        if writer is None or writer.kind.name == "none":
            return ""
        if not isinstance(writer.writes, FileWriter):
            name = self._spec.route + ending
            outbox.accept += [
                NewTask(
                    route=name,
                    document=document,
                    key=task.key,
                    version=task.version,
                    unique="no",
                    source=task.id,
                    trace=task.trace,
                )
                for document in documents
            ]
            return ""
        for document in documents:
            outcome = await publish_to_file(writer.writes, document, context, outbox, self._hide)
            if not outcome.ok:
                return outcome.reason
        return ""

    async def _follow(
        self, follower: Follower, documents: Sequence[JSON], task: Task, chained: Chained, outbox: Outbox
    ) -> str:
        for document in documents:
            applied = await apply(follower.chain, document, chained, self._locks)
            if applied.failed is not None:
                return str(applied.failed)
            outbox.accept += [
                follower.identity.task(made, default=task.key, always=True, source=task.id, trace=task.trace)
                for made in applied.documents
            ]
        return ""


def _find_followers(runtime: Runtime, spec: RouteSpec) -> list[Follower]:
    """Return the routes that read this one; implied routes are read by none."""
    if spec.is_intake or (spec.answer is None and spec.name.endswith((ANSWER, ERROR))):
        return []
    configuration, found = runtime.configuration, list[Follower]()
    for name, route in configuration.routes.items():
        incoming: Any = configuration.incoming.get(route.incoming)
        if incoming is None or route.disabled or incoming.disabled or incoming.subscriber.prototype != ROUTE:
            continue
        asked = incoming.subscriber.parameters
        if asked.get("route") != spec.route:
            continue
        chain = _compile_chain(runtime, incoming, route.incoming)
        read = [(ANSWER, asked.get("answers", True)), (ERROR, asked.get("errors", False))]
        found += [Follower(TaskIdentity(runtime, name), chain, ending) for ending, wanted in read if wanted]
    return found


def _compile_chain(runtime: Runtime, incoming: Incoming, name: str) -> Chain:
    chain = runtime.chain(incoming.chain, f"incoming.{name}.chain")
    if any(getattr(stage, "gather", None) is not None for stage in chain.stages):
        raise ConfigurationError(
            f"incoming.{name} reads a route and gathers documents; gather them in the chain of the route that reads it"
        )
    return chain
