"""One attempt at one task: its chains, its calls, its answers, and where it stands after that."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from connector.delivery.answers import Responses
from connector.delivery.call_journal import CallJournal
from connector.delivery.call_records import list_calls, read_carried_notes
from connector.delivery.context import DeliveryContext
from connector.delivery.decisions import AttemptEnded, CallResult, end_after
from connector.delivery.new_tasks import Intake
from connector.delivery.outbox import Outbox, publish_to_file
from connector.delivery.reconcile import reconcile
from connector.delivery.route_spec import GATHERED, RouteSpec
from connector.delivery.transports import Background, Target, is_begun, shape_request
from connector.engine import CallRecord, Change, Settlement, StoreError, Task, TaskState, failpoints
from connector.errors import ConnectorError
from connector.model import JSON, Effect, Outcome, State
from connector.pipeline.chains import Applied, apply
from connector.pipeline.spec import complete_request, envelope
from connector.publishers import Begin, CallIntent, Context, OnUnknown
from connector.publishers.file import FileWriter
from connector.transform import Chain, Scope
from connector.transform.context import Context as Chained
from connector.transform.context import Locks

__all__ = ["Attempt", "RouteContext"]

log = logging.getLogger(__name__)

STATES = {TaskState.FAILED: State.REFUSED, TaskState.UNKNOWN: State.UNKNOWN}
MOST_CUT_OFF = 100
"""So many ends of its process in a row mean that a task brings them about."""
NOT_YET = CallResult(Outcome(State.REFUSED, action="retry"), Effect.NONE)
"""A chain that says that its document may fare better later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteContext:
    """What all attempts of one route share."""

    shared: DeliveryContext
    spec: RouteSpec
    responses: Responses
    context: Context
    locks: Locks
    target: Target | None = None
    """Whom the route's own transport calls; none for single calls."""
    intake: Intake | None = None
    """What takes on what came of a document, on a route that delivers nothing."""


class Attempt:
    """One attempt at one task."""

    def __init__(self, route: RouteContext, task: Task) -> None:
        shared, spec = route.shared, route.spec
        self._route = route
        self._task = task
        self._kept = shared.storages.begin()
        self.draft = Outbox()
        self.journal = CallJournal(task, shared, shared.budget(spec.route), route.context.on_unknown)
        base = shared.runtime.chained
        self.chained: Chained = Chained(
            variables=base.variables,
            missing=base.missing,
            omit_null=base.omit_null,
            concurrency=base.concurrency,
            task={"id": str(task.id), "number": task.id, "key": task.key},
            route={"name": spec.route},
            # A repeat must ask for the same, so the clock of a task stands where it began.
            now=lambda: datetime.fromtimestamp(task.created, UTC),
            call=shared.runtime.calls(self.journal.perform),
            storages=self._kept.storages,
        )
        self._context = replace(
            route.context, chained=self.chained, call=self.chained.call, perform=self.journal.perform
        )
        self._request: JSON = None
        self._found: dict[tuple[str, str], JSON] = {}
        self._carried = ""
        """What must not be silent of tasks that go on in this one."""

    async def change(self) -> Change:
        """Makes the attempt; what is to be committed of it."""
        try:
            if self._route.spec.name.endswith(GATHERED):
                self._carried = await read_carried_notes(self._route.shared.store, self._task)
            await self._resolve()
            failpoints.reach("delivery.doubts.resolved")
            await self._deliver(await self.made(self._route.spec.chain.after))
            end = AttemptEnded(TaskState.FINISHED, _unused(self.journal.unused))
        except AttemptEnded as stopped:
            end = stopped
        except StoreError:
            raise
        except ConnectorError as error:
            end = self._failed(str(error))
        except Exception as error:
            log.exception("task %d of route %r broke off", self._task.id, self._route.spec.name)
            unexpected = Outcome(State.UNKNOWN, reason=f"{type(error).__name__}: {error}")
            end = self._stopped(CallResult(unexpected, Effect.NONE), f"an error of the connector: {unexpected.reason}")
        return await self.ended(end)

    async def before(self) -> list[JSON]:
        """What the document is before it is gathered with others; Stopped when it goes no further."""
        try:
            await self._resolve()
            return await self.made(self._route.spec.chain.before)
        except StoreError:
            raise
        except ConnectorError as error:
            raise self._failed(str(error)) from None

    def calls(self) -> Change:
        """What is to be committed of its calls though its task has not come to an end."""
        change = self.journal.closing(finished=False)
        change.records = self._found
        return change

    def records(self) -> dict[tuple[str, str], JSON]:
        """What its chains keep, to be committed when its task goes on with others."""
        return self._kept.records()

    @property
    def notes(self) -> str:
        """What must not be silent of its calls when its task goes on with others."""
        return "; ".join(note for note in (_unused(self.journal.unused), self.journal.repeats_note) if note)

    async def made(self, chain: Chain) -> list[JSON]:
        """What a chain makes of the document; Stopped when that is nothing."""
        if not chain.stages:
            return [self._task.document]
        applied: Applied = await apply(chain, self._task.document, self.chained, self._route.locks)
        self._check()
        if applied.failed is not None and applied.failed.passes:
            raise self._stopped(NOT_YET, str(applied.failed))
        if applied.failed is not None:
            raise self._failed(str(applied.failed))
        if not applied.documents:
            raise AttemptEnded(TaskState.SKIPPED, applied.skipped or "the chain made nothing of the document")
        return applied.documents

    async def ended(self, end: AttemptEnded) -> Change:
        """The change that ends the attempt; errors go their own way."""
        end = self._whole(end)
        reason = self._route.shared.redact.text(end.reason)
        if end.state is not TaskState.FINISHED:
            self.draft = Outbox()  # what comes of answers comes with the end of all, and once
        if end.state in STATES:
            reason = await self._told(end, reason)
        if end.state in (TaskState.FINISHED, TaskState.SKIPPED):
            self.draft.records |= self._kept.records()
        else:
            self._kept.give_up()
        self.draft.records |= self._found
        ends = end.state is not TaskState.WAITING
        settled = Settlement(
            task=self._task.id,
            state=end.state,
            reason=reason,
            due=end.due,
            uncounted=end.uncounted,
            who=end.who,
            carried=ends and self._route.spec.name.endswith(GATHERED),
        )
        return self.draft.change(self.journal.closing(finished=end.state is TaskState.FINISHED), settled)

    def _whole(self, end: AttemptEnded) -> AttemptEnded:
        """The end as all calls make it: what may have taken effect has not failed, and not twice in silence."""
        if end.state is TaskState.WAITING:
            return end
        parts, state = [end.reason, self.journal.repeats_note, self._carried], end.state
        doubts = self.journal.doubts if state is TaskState.FAILED else ()
        if doubts:
            state = TaskState.UNKNOWN
            parts.append(f"may have taken effect: {list_calls(doubts)}; look whether it did before it is sent again")
        return AttemptEnded(state, "; ".join(part for part in parts if part), seen=end.seen)

    async def _resolve(self) -> None:
        """What is known of earlier attempts comes first: nothing new is sent while they are in doubt."""
        task, settings = self._task, self._route.spec.settings
        if task.cut_off >= MOST_CUT_OFF:
            why = f"the process ended {task.cut_off} times in a row while it worked on this, before anything was sent"
            raise AttemptEnded(TaskState.FAILED, why)
        if not task.calls and task.attempts <= settings.attempts:
            return
        doubts = await reconcile(task, self.journal, self._route.shared)
        self.journal.settle(doubts.ends)
        self._found = doubts.records
        if doubts.settled is not None:
            held = doubts.settled
            raise AttemptEnded(held.state, held.reason, due=held.due, uncounted=held.uncounted, who=held.who)
        found = any(end.state == State.DONE for end in doubts.ends)
        if task.attempts > settings.attempts and not found:
            tried = f"{settings.attempts} attempts" if settings.attempts > 1 else "1 attempt"
            raise AttemptEnded(
                TaskState.FAILED, f"no end after {tried}; the last one came to: {task.reason or 'nothing'}"
            )

    async def _deliver(self, documents: list[JSON]) -> None:
        if self._route.intake is not None:
            await self._route.intake.take(documents, self._task, self.draft)
            return
        told: list[tuple[Outcome, JSON]] = []
        for number, document in enumerate(documents, 1):
            calls = self._route.spec.writer.kind.calls
            scope = Scope(self.chained, locks=self._route.locks)
            self._request = complete_request(self._route.spec.request, document, scope, calls=calls)
            outcome = await self._transported(self._request)
            self._check()
            if not outcome.ok:
                where = f"request {number} of {len(documents)}, " if len(documents) > 1 else ""
                raise self._not_done(outcome, where)
            told.append((outcome, self._request))
        failpoints.reach("delivery.requests.done")
        for outcome, request in told if self._route.responses.answers else ():
            shown = self._route.shared.redact(request)
            await self._answered(envelope(outcome, shown, self._task.document))

    async def _transported(self, request: JSON) -> Outcome:
        """What a request comes to by the route's own transport."""
        target, to = self._route.target, self._route.spec.outgoing
        # What was begun in the background is paid for, whichever way the route sends now.
        transport = "background" if is_begun(self._task, request) else to.transport
        if target is None and transport != "background":
            return await self._published(request)
        self._request = shape_request(request, transport, self._task.attempts, to.flex.default_after)
        outcome = await self._published(self._request)
        if outcome.ok and transport == "background":
            client = getattr(self._route.spec.writer.parameters, "client", "")
            outcome = await Background(self._route.shared, self.journal, self._task, client).answer(outcome)
        return outcome

    async def _published(self, request: JSON) -> Outcome:
        writer = self._route.spec.writer
        if isinstance(writer.writes, FileWriter):
            return await publish_to_file(writer.writes, request, self._context, self.draft, self._route.shared.redact)
        if writer.kind.performs or writer.kind.name == "none":
            return await writer.writes.publish(request, self._context)

        async def make(_: CallIntent, __: OnUnknown | None, begin: Begin | None) -> Outcome:
            if begin is not None:
                await begin()
            return await writer.writes.publish(request, self._context)

        # A publisher that somebody else has made: all that is known is that it was asked.
        kind = writer.kind.name
        return await self.journal.perform(
            CallIntent(target=kind, operation=kind, effect=Effect.OPAQUE, content=request, make=make)
        )

    async def _answered(self, told: JSON) -> None:
        responses = self._route.responses
        why = await responses.answered(told, self._task, self.chained, self._context, self.draft)
        self._check()
        if why:
            raise self._failed(why)

    async def _told(self, end: AttemptEnded, reason: str) -> str:
        """Sends an error its own way; the reason, with why that failed if it did."""
        outcome = end.seen.outcome if end.seen else Outcome(STATES[end.state])
        shown = self._route.shared.redact(self._request)
        told = {**envelope(outcome, shown, self._task.document), "state": end.state.value, "reason": reason}
        try:
            why = await self._route.responses.failed(told, self._task, self.chained, self._context, self.draft)
        except ConnectorError as error:
            why = str(error)
        self._check()
        if not why:
            return reason
        self.draft = Outbox()
        return self._route.shared.redact.text(f"{reason}; and its error could not be told: {why}")

    def _check(self) -> None:
        """What broke the journal is no fault of a chain, even if the chain took it for one."""
        if self.journal.broken is not None:
            raise self.journal.broken

    def _failed(self, reason: str) -> AttemptEnded:
        """Why a chain or a publisher failed: a call that is not done, or the document itself."""
        if self.journal.troubles:
            return self._stopped(self.journal.troubles[0], reason)
        return AttemptEnded(TaskState.FAILED, reason)

    def _not_done(self, outcome: Outcome, where: str) -> AttemptEnded:
        known = [seen for seen in self.journal.troubles if seen.outcome is outcome]
        return self._stopped(
            known[0] if known else CallResult(outcome, Effect.IDEMPOTENT), f"{where}{outcome.sentence()}"
        )

    def _stopped(self, seen: CallResult, reason: str) -> AttemptEnded:
        return end_after(seen, reason, self._task, self._route.spec.settings, self._route.shared)


def _unused(calls: Sequence[CallRecord]) -> str:
    """What must not be silent of paid answers that an attempt had no use for."""
    return f"asked for something else than before, so a paid answer was not used: {list_calls(calls)}" if calls else ""
