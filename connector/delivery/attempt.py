"""One attempt at a task: open calls of earlier attempts come first, and all results are one commit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from connector.delivery.answers import Responses
from connector.delivery.budget import RouteBudget
from connector.delivery.call_journal import CallJournal, as_it_is
from connector.delivery.call_records import list_calls, read_carried_notes
from connector.delivery.context import DeliveryContext
from connector.delivery.new_tasks import Intake
from connector.delivery.outbox import Outbox, publish_to_file
from connector.delivery.reconcile import reconcile
from connector.delivery.retry import end_after
from connector.delivery.route_spec import GATHERED, RouteSpec
from connector.delivery.transports import Background, Target, find_begun, is_background, shape_request
from connector.engine import CallRecord, Change, Settlement, StoreError, Task, TaskState, failpoints
from connector.errors import ConnectorError
from connector.model import JSON, Effect, Outcome, State
from connector.pipeline.attempt import Attempt, Ending
from connector.pipeline.decisions import AttemptEnded, CallResult
from connector.publishers import Begin, CallIntent, Context, OnUnknown
from connector.publishers.file import FileWriter
from connector.transform.context import Context as ChainContext
from connector.transform.context import Locks

__all__ = ["RouteContext", "TaskAttempt"]

MOST_CUT_OFF = 100
"""After this many ends of its process in a row, a task counts as their cause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteContext:
    """What all attempts of one route share.

    Attributes:
        target: whom the route's own transport calls; none for single calls.
        intake: accepts the results of a document, on a route that delivers nothing.
        budget: what the route may use; None without a limit.
        window: by when its background responses are made, for less money.
        guard: returns a call as it may be made, on behalf of whoever asked for the task.
        transport: how requests go, where that is chosen for each task.
    """

    shared: DeliveryContext
    spec: RouteSpec
    responses: Responses
    context: Context
    locks: Locks
    target: Target | None = None
    intake: Intake | None = None
    budget: RouteBudget | None = None
    window: str | None = None
    guard: Callable[[CallIntent], CallIntent] = as_it_is
    transport: str = ""


class TaskAttempt(Attempt):
    """One attempt at one task."""

    def __init__(self, route: RouteContext, task: Task) -> None:
        shared, spec = route.shared, route.spec
        self._route = route
        self._task = task
        # Most configurations have no storages.
        self._kept = shared.storages.begin() if shared.storages.before else None
        self.outbox = Outbox()
        self.journal = CallJournal(task, shared, route.budget, route.context.on_unknown, route.window, route.guard)
        base = shared.runtime.chained
        chain_context = ChainContext(
            variables=base.variables,
            missing=base.missing,
            omit_null=base.omit_null,
            concurrency=base.concurrency,
            task={"id": str(task.id), "number": task.id, "key": task.key},
            route={"name": spec.route},
            # A repeat must ask for the same, so the clock of a task stands where it began.
            now=lambda: datetime.fromtimestamp(task.created, UTC),
            call=shared.runtime.calls(self.journal.perform),
            storages=self._kept.storages if self._kept is not None else {},
        )
        super().__init__(spec, task.document, self.journal, chain_context, route.locks)
        self._context = route.context.within(chain_context, self.journal.perform)
        self._found: dict[tuple[str, str], JSON] = {}
        self._carried = ""
        """What must not be silent of tasks that go on in this one."""

    async def change(self) -> Change:
        """Make the attempt; return what is to be committed of it."""
        ended = await self.run()
        if ended.state is TaskState.FINISHED:
            ended.reason = _describe_unused(self.journal.unused)
        return await self.settle(ended)

    async def before(self) -> list[JSON]:
        """Return what the document is before it is gathered; raise AttemptEnded when it goes no further."""
        try:
            await self._reconcile()
            return await self.transform(self._route.spec.chain.before)
        except StoreError:
            raise
        except ConnectorError as error:
            raise self.fail(str(error)) from None

    async def settle(self, ended: AttemptEnded) -> Change:
        """Return the change that ends the attempt."""
        ended = await self.finish(ended)
        if self._kept is not None and ended.state in (TaskState.FINISHED, TaskState.SKIPPED):
            self.outbox.records |= self._kept.records()
        elif self._kept is not None:
            self._kept.give_up()
        self.outbox.records |= self._found
        settlement = Settlement(
            task=self._task.id,
            state=ended.state,
            reason=ended.reason,
            due=ended.due,
            uncounted=ended.uncounted,
            who=ended.who,
            carried=ended.state is not TaskState.WAITING and self._route.spec.name.endswith(GATHERED),
        )
        return self.outbox.change(self.journal.close(finished=ended.state is TaskState.FINISHED), settlement)

    def calls(self) -> Change:
        """Return what is to be committed of its calls though its task has not come to an end."""
        change = self.journal.close(finished=False)
        change.records = self._found
        return change

    def records(self) -> dict[tuple[str, str], JSON]:
        """Return what its chains keep, to be committed when its task goes on with others."""
        return self._kept.records() if self._kept is not None else {}

    @property
    def notes(self) -> str:
        """What must not be silent of its calls when its task goes on with others."""
        return "; ".join(note for note in (_describe_unused(self.journal.unused), self.journal.repeats_note) if note)

    @property
    def label(self) -> str:
        return f"task {self._task.id} of route {self._route.spec.name!r}"

    @property
    def wants_answers(self) -> bool:
        return self._route.responses.answers

    async def documents(self) -> list[JSON]:
        if self._route.spec.name.endswith(GATHERED):
            self._carried = await read_carried_notes(self._route.shared.store, self._task)
        await self._reconcile()
        failpoints.reach("delivery.doubts.resolved")
        return await super().documents()

    async def deliver(self, documents: list[JSON]) -> None:
        if self._route.intake is not None:
            await self._route.intake.take(documents, self._task, self.outbox)
        else:
            await super().deliver(documents)

    async def send(self, request: JSON) -> Outcome:
        """Give a request to the publisher, by the route's own transport."""
        target, to, chosen = self._route.target, self._route.spec.outgoing, self._route.transport
        # What was begun in the background is paid for, whichever way the route sends now.
        begun = find_begun(self._task, request) if self._task.calls else ""
        transport = begun or chosen or to.transport
        if target is None and not begun:
            return await self._publish(request)
        self._request = shape_request(request, transport, self._task.attempts, to)
        outcome = await self._publish(self._request)
        if outcome.ok and is_background(transport):
            client, stays = getattr(self._route.spec.writer.parameters, "client", ""), not chosen
            made = Background(self._route.shared, self.journal, self._task, client, stays=stays)
            outcome = await made.answer(outcome)
        return outcome

    async def respond(self, ending: Ending, shown: JSON) -> str:
        return await self._route.responses.respond(
            ending, shown, self._task, self._chain_context, self._context, self.outbox
        )

    def end_after(self, seen: CallResult, reason: str) -> AttemptEnded:
        return end_after(seen, reason, self._task, self._route.spec.settings, self._route.shared)

    def whole(self, ended: AttemptEnded) -> AttemptEnded:
        """Return the end with what may have taken effect, once or more often, named in it."""
        if ended.state is TaskState.WAITING:
            return ended
        notes = [ended.reason, self.journal.repeats_note, self._carried]
        ended.reason = "; ".join(note for note in notes if note)
        return super().whole(ended)

    def discard(self) -> None:
        self.outbox = Outbox()

    def redact(self, text: str) -> str:
        return self._route.shared.redact.text(text)

    def shown(self, request: JSON) -> JSON:
        return self._route.shared.redact(request)

    async def _reconcile(self) -> None:
        """Find out what earlier attempts came to: nothing new is sent while they are in doubt."""
        task, settings = self._task, self._route.spec.settings
        if task.cut_off >= MOST_CUT_OFF:
            why = f"the process ended {task.cut_off} times in a row while it worked on this, before anything was sent"
            raise AttemptEnded(TaskState.FAILED, why)
        if not task.calls and task.attempts <= settings.attempts:
            return
        found = await reconcile(task, self.journal, self._route.shared)
        self.journal.apply_ends(found.ends)
        self._found = found.records
        if found.settled is not None:
            held = found.settled
            raise AttemptEnded(held.state, held.reason, due=held.due, uncounted=held.uncounted, who=held.who)
        is_done = any(end.state == State.DONE for end in found.ends)
        if task.attempts > settings.attempts and not is_done:
            tried = f"{settings.attempts} attempts" if settings.attempts > 1 else "1 attempt"
            last = task.reason or "nothing"
            raise AttemptEnded(TaskState.FAILED, f"no end after {tried}; the last one came to: {last}")

    async def _publish(self, request: JSON) -> Outcome:
        writer = self._route.spec.writer
        if isinstance(writer.writes, FileWriter):
            return await publish_to_file(writer.writes, request, self._context, self.outbox, self._route.shared.redact)
        if writer.kind.performs or writer.kind.name == "none":
            return await writer.writes.publish(request, self._context)

        async def make(_: CallIntent, __: OnUnknown | None, begin: Begin | None) -> Outcome:
            if begin is not None:
                await begin()
            return await writer.writes.publish(request, self._context)

        # A publisher of a plug-in: it is only known that it was called.
        kind = writer.kind.name
        return await self.journal.perform(
            CallIntent(target=kind, operation=kind, effect=Effect.OPAQUE, content=request, make=make)
        )


def _describe_unused(calls: Sequence[CallRecord]) -> str:
    """Return what must not be silent of paid answers that an attempt had no use for."""
    return f"asked for something else than before, so a paid answer was not used: {list_calls(calls)}" if calls else ""
