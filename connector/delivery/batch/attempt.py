"""An attempt at a task that goes out as lines of a batch; single calls share its code, from the chain to the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import orjson

from connector.delivery.attempt import RouteContext, TaskAttempt
from connector.delivery.batch.lines import LinePosition, encode_line, is_batch_line, record_line
from connector.engine import CallEnd, CallRecord, Change, StoreError, Task, TaskState
from connector.errors import ConnectorError
from connector.http.call import FloatsWire
from connector.model import JSON, Outcome, State, items, members
from connector.pipeline.decisions import AttemptEnded
from connector.publishers import CallIntent
from connector.request import BytesBody
from connector.transform import Scope

__all__ = ["CANCEL", "NEEDED", "NEVER", "BatchAttempt", "TaskLines", "release_lines"]

CANCEL = "batch cancellations create"
"""The call by which a batch is cancelled."""
NEEDED = "needed"
"""What a batch's document names the time by which the first of its answers is needed."""
NEVER = "it waited for others and was in no batch yet when the process ended"
"""Why a line was not sent that no batch took."""


@dataclass(frozen=True, slots=True)
class TaskLines:
    """The lines of one task, and their size."""

    model: str
    calls: Sequence[CallRecord]
    bytes: int
    inputs: int

    @property
    def count(self) -> int:
        return len(self.calls)


def release_lines(task: Task, now: float) -> tuple[Task, list[CallEnd]]:
    """Return a leased task with its open lines ended as not sent, since tasks in a batch are not leased."""
    ends = [
        CallEnd(
            task=call.task, attempt=call.attempt, number=call.number, ended=now, state=State.NOT_SENT,
            outcome={"reason": NEVER},
        )
        for call in task.calls if call.open and is_batch_line(call)
    ]  # fmt: skip
    named = {(end.attempt, end.number): end for end in ends}
    calls = [
        replace(call, state=end.state, outcome=end.outcome, ended=now)
        if (end := named.get((call.attempt, call.number))) and call.open
        else call
        for call in task.calls
    ]
    return replace(task, calls=calls), ends


class BatchAttempt(TaskAttempt):
    """Makes a task's lines, and takes it to its end when all of them are answered."""

    def __init__(self, route: RouteContext, task: Task, ends: Sequence[CallEnd] = ()) -> None:
        super().__init__(route, task)
        self.journal.apply_ends(ends)
        self._known: list[tuple[Outcome, JSON]] = []

    async def lines(self) -> TaskLines | None:
        """Return the lines to send, or None when all are answered; AttemptEnded when the task goes no further."""
        try:
            await self._reconcile()
            documents = await self.transform(self._route.spec.chain.after)
            asked = [await self._ask(document) for document in documents]
        except StoreError:
            raise
        except ConnectorError as error:
            raise self.fail(str(error)) from None
        known = [self.journal.recall(intent) for intent, _ in asked]
        if all(done is not None for _, done in known):
            self._known = [(done, request) for (_, done), (_, request) in zip(known, asked, strict=True) if done]
            return None
        bodies = [_body(intent) for intent, _ in asked]
        models = {str(members(body).get("model", "")) for body in bodies}
        if len(models) > 1:
            raise AttemptEnded(TaskState.FAILED, f"it asks {', '.join(sorted(models))}; one batch takes one model")
        calls = [
            self._line(intent, name, request, body, LinePosition(number, len(asked)))
            for number, ((intent, request), (name, done), body) in enumerate(zip(asked, known, bodies, strict=True))
            if done is None
        ]
        size = sum(len(encode_line(call)) for call in calls)
        return TaskLines(models.pop(), calls, size, sum(_inputs(members(call.request)["body"]) for call in calls))

    async def conclude(self, results: Sequence[tuple[Outcome, JSON]] | None = None) -> Change:
        """Return the end of a task all of whose requests are done, with what its answers become."""
        try:
            for outcome, request in self._known if results is None else results:
                await self._answer(outcome, request)
            end = AttemptEnded(TaskState.FINISHED)
        except StoreError:
            raise
        except AttemptEnded as ended:
            end = ended
        except ConnectorError as error:
            end = AttemptEnded(TaskState.FAILED, str(error))
        return await self.settle(end)

    async def refuse(self, end: AttemptEnded, request: JSON) -> Change:
        """Return the end of an attempt one of whose requests is not done."""
        self._request = request
        return await self.settle(end)

    async def _ask(self, document: JSON) -> tuple[CallIntent, JSON]:
        """Return the call that the publisher would make of a document, caught before it is sent."""
        writer = self._route.spec.writer
        request = self._spec.complete(document, Scope(self._chain_context))
        caught: list[CallIntent] = []

        async def catch(intent: CallIntent) -> Outcome:
            caught.append(intent)
            return Outcome(State.DONE)

        self._request = request
        outcome = await writer.writes.publish(request, replace(self._context, perform=catch))
        if not caught:
            raise self._not_done(outcome)
        _check(caught[0], request)
        return caught[0], request

    def _line(self, intent: CallIntent, known: str, request: JSON, body: JSON, place: LinePosition) -> CallRecord:
        wire = intent.call.wire if intent.call else None
        url = f"/v1{wire.path if wire else ''}"
        said = record_line(url, body, members(request), place, floats=isinstance(wire, FloatsWire))
        if not self._route.shared.redact.is_clean(orjson.dumps(said).decode()):
            reason = "its request holds a secret, and requests of batches are kept; give it to a client, which sends it"
            raise AttemptEnded(TaskState.FAILED, reason)
        return self.journal.make_line(intent, known, said)


def _check(intent: CallIntent, request: Mapping[str, JSON]) -> None:
    """Raise AttemptEnded when a request has what a line cannot hold."""
    wire = intent.call.wire if intent.call else None
    if wire is not None and wire.replaced is not None:
        raise AttemptEnded(
            TaskState.FAILED,
            f"{intent.operation} takes the place of a removed operation, whose answers no batch translates; "
            "leave `transport: batch` out, or call it by its own name",
        )
    said = [name for name in ("headers", "query") if request.get(name)]
    if wire is None or not isinstance(wire.body, BytesBody) or "json" not in wire.body.content_type:
        raise AttemptEnded(
            TaskState.FAILED, "its request is not JSON; a batch takes JSON alone: name files by their ids"
        )
    if said:
        raise AttemptEnded(
            TaskState.FAILED, f"its request has {' and '.join(said)}; a line of a batch has a payload alone"
        )
    if members(_body(intent)).get("stream"):
        raise AttemptEnded(
            TaskState.FAILED, "its request asks for a stream; leave `stream` out, a batch has whole answers"
        )


def _body(intent: CallIntent) -> JSON:
    body = intent.call.wire.body if intent.call else None
    return orjson.loads(body.data) if isinstance(body, BytesBody) else None


def _inputs(body: JSON) -> int:
    """Count the texts of an embeddings request."""
    given = items(members(body).get("input"))
    return len(given) if given and not isinstance(given[0], int) else 1
