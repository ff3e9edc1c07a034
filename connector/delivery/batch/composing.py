"""An attempt at a task that goes out as lines of a batch: made by the code of single calls, ended by it as well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import orjson

from connector.delivery.attempt import RouteContext, TaskAttempt
from connector.delivery.batch.line import Place, is_line, kept, line_of
from connector.engine import CallEnd, CallRecord, Change, StoreError, Task, TaskState
from connector.errors import ConnectorError
from connector.http.call import FloatsWire
from connector.model import JSON, Outcome, State, items, members
from connector.pipeline.decisions import AttemptEnded
from connector.publishers import CallIntent
from connector.request import BytesBody
from connector.transform import Scope

__all__ = ["Composing", "Lines", "freed"]

NEVER = "it waited for others and was in no batch yet when the process ended"


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of one task, and what counts of them."""

    model: str
    calls: Sequence[CallRecord]
    bytes: int
    inputs: int

    @property
    def count(self) -> int:
        return len(self.calls)


def freed(task: Task, now: float) -> tuple[Task, list[CallEnd]]:
    """A leased task whose lines are in no batch, since tasks in a batch are not leased: none of them was sent."""
    ends = [
        CallEnd(
            task=call.task, attempt=call.attempt, number=call.number, ended=now, state=State.NOT_SENT,
            outcome={"reason": NEVER},
        )
        for call in task.calls if call.open and is_line(call)
    ]  # fmt: skip
    named = {(end.attempt, end.number): end for end in ends}
    calls = [
        replace(call, state=end.state, outcome=end.outcome, ended=now)
        if (end := named.get((call.attempt, call.number))) and call.open
        else call
        for call in task.calls
    ]
    return replace(task, calls=calls), ends


class Composing(TaskAttempt):
    """Makes a task's lines, and takes it to its end when all of them are answered."""

    def __init__(self, route: RouteContext, task: Task, ends: Sequence[CallEnd] = ()) -> None:
        super().__init__(route, task)
        self.journal.settle(ends)
        self._known: list[tuple[Outcome, JSON]] = []

    async def lines(self) -> Lines | None:
        """The lines that are to be sent; None when all are answered. Stopped when the task goes no further."""
        try:
            await self._reconcile()
            documents = await self.transform(self._route.spec.chain.after)
            asked = [await self._asked(document) for document in documents]
        except StoreError:
            raise
        except ConnectorError as error:
            raise self.fail(str(error)) from None
        known = [self.journal.recognise(intent) for intent, _ in asked]
        if all(done is not None for _, done in known):
            self._known = [(done, request) for (_, done), (_, request) in zip(known, asked, strict=True) if done]
            return None
        bodies = [_body(intent) for intent, _ in asked]
        models = {str(members(body).get("model", "")) for body in bodies}
        if len(models) > 1:
            raise AttemptEnded(TaskState.FAILED, f"it asks {', '.join(sorted(models))}; one batch takes one model")
        calls = [
            self._line(intent, name, request, body, Place(number, len(asked)))
            for number, ((intent, request), (name, done), body) in enumerate(zip(asked, known, bodies, strict=True))
            if done is None
        ]
        size = sum(len(line_of(call)) for call in calls)
        return Lines(models.pop(), calls, size, sum(_inputs(members(call.request)["body"]) for call in calls))

    async def concluded(self, told: Sequence[tuple[Outcome, JSON]] | None = None) -> Change:
        """The end of a task all of whose requests are done, with what comes of the answers."""
        try:
            for outcome, request in self._known if told is None else told:
                await self._answer(outcome, request)
            end = AttemptEnded(TaskState.FINISHED)
        except StoreError:
            raise
        except AttemptEnded as stopped:
            end = stopped
        except ConnectorError as error:
            end = AttemptEnded(TaskState.FAILED, str(error))
        return await self.settle(end)

    async def refused(self, end: AttemptEnded, request: JSON) -> Change:
        """The end of an attempt one of whose requests is not done; errors go their own way."""
        self._request = request
        return await self.settle(end)

    async def _asked(self, document: JSON) -> tuple[CallIntent, JSON]:
        """The call that a document would be, made by the publisher of single calls and caught before it is sent."""
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

    def _line(self, intent: CallIntent, known: str, request: JSON, body: JSON, place: Place) -> CallRecord:
        wire = intent.call.wire if intent.call else None
        url = f"/v1{wire.path if wire else ''}"
        said = kept(url, body, members(request), place, floats=isinstance(wire, FloatsWire))
        if not self._route.shared.redact.is_clean(orjson.dumps(said).decode()):
            reason = "its request holds a secret, and requests of batches are kept; give it to a client, which sends it"
            raise AttemptEnded(TaskState.FAILED, reason)
        return self.journal.line(intent, known, said)


def _check(intent: CallIntent, request: Mapping[str, JSON]) -> None:
    """What cannot stand in a line is refused, and never dropped in silence."""
    wire = intent.call.wire if intent.call else None
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
    """How many texts an embeddings request holds."""
    given = items(members(body).get("input"))
    return len(given) if given and not isinstance(given[0], int) else 1
