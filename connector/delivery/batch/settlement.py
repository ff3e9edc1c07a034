"""The tasks of a batch settled by what its lines came to, a few hundred in each commit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from connector.delivery.aggregate import merge_change
from connector.delivery.attempt import RouteContext
from connector.delivery.batch.attempt import BatchAttempt
from connector.delivery.batch.lines import (
    LineResult,
    is_batch_line,
    iterate_members,
    judge_result,
    open_lines,
    parse_result,
    request_of,
    restore_floats,
)
from connector.delivery.call_records import decode_outcome, encode_outcome
from connector.delivery.charges import price_batch_line
from connector.delivery.retry import end_after
from connector.engine import CallEnd, CallRecord, Change, Expense, Task, TaskState, failpoints
from connector.http import Client
from connector.http.policy import Policy
from connector.model import JSON, Effect, Outcome, State, members
from connector.pipeline.decisions import AttemptEnded, CallResult
from connector.publishers import OnUnknown
from connector.telemetry.costs import Cost

if TYPE_CHECKING:
    from connector.delivery.deadlines.plan import TransportPlan

__all__ = ["BatchSettlement"]

CHUNK = 200


class BatchSettlement:
    """Settles the tasks of one batch.

    Args:
        carrier: the task that they go in, which this process has leased.
        target: the client's name.
        plan: by when answers are needed, if the route says so.
    """

    def __init__(
        self,
        route: RouteContext,
        carrier: int,
        client: Client,
        target: str,
        plan: TransportPlan | None = None,
    ) -> None:
        self._plan = plan
        self._route = route
        self._shared = route.shared
        self._carrier = carrier
        self._target = target
        self._on_unknown: OnUnknown = route.context.on_unknown or client.parameters.retry.on_unknown
        self._policy = Policy(client.parameters.errors, all_errors=client.parameters.retry.all_errors)
        self._regional = bool(client.region)
        self._priced: list[Cost] = []
        """What lines used that are settled by the next commit."""
        self.answered = 0
        """Lines of the files read so far that are done."""
        self.moved_up = ""
        """When and why it was cancelled here, so that what it has not answered goes another way at once."""

    async def settle_file(self, path: Path) -> None:
        """Settle the tasks that an output or error file mentions."""
        with path.open("rb") as file:
            while lines := await asyncio.to_thread(lambda: [*islice(file, CHUNK)]):
                answers = [answer for line in lines if (answer := parse_result(line)) is not None]
                self.answered += sum(judge_result(answer.said, self._policy).ok for answer in answers)
                failpoints.reach("batch.results.chunk")
                await self._commit([change async for change in self._settle_results(answers)])

    async def settle_rest(self, outcome: Outcome, *, faults: dict[int, str] | None = None) -> None:
        """Settle all tasks that are left by an outcome; those whose lines have faults by these."""
        number, changes = 0, list[Change]()
        async with aclosing(iterate_members(self._shared.store, self._carrier)) as found:
            async for task in found:
                lines = open_lines(task)
                named = [said for place in range(len(lines)) if (said := (faults or {}).get(number + place + 1))]
                number += len(lines)
                came = replace(outcome, state=State.REFUSED, action="fail", reason=named[0]) if named else outcome
                changes.append(await self._settle_lines(task, [(line, came) for line in lines]))
                if len(changes) >= CHUNK:
                    await self._commit(changes)
                    changes = []
        await self._commit(changes)

    async def _settle_results(self, answers: Sequence[LineResult]) -> AsyncGenerator[Change, None]:
        by_task: dict[int, list[LineResult]] = {}
        for answer in answers:
            by_task.setdefault(answer.task, []).append(answer)
        for number, said in by_task.items():
            task = await self._shared.store.task(number)
            # What a process that was cut off had settled before is settled.
            if task is None or task.carrier != self._carrier or task.state is not TaskState.WAITING:
                continue
            lines = {(line.attempt, line.number): line for line in open_lines(task)}
            came = {
                (one.attempt, one.number): (lines[one.attempt, one.number], judge_result(one.said, self._policy))
                for one in said
                if (one.attempt, one.number) in lines
            }
            if came:
                yield await self._settle_lines(task, [*came.values()])

    async def _settle_lines(self, task: Task, came: Sequence[tuple[CallRecord, Outcome]]) -> Change:
        """Return the change to commit for a task some of whose lines are answered."""
        shown = [(line, self._show(line, outcome)) for line, outcome in came]
        ends = [self._end(line, outcome) for line, outcome in shown]
        spent = [found for line, outcome in shown if (found := self._charge(line, outcome))]
        ended = {(end.attempt, end.number): end for end in ends}
        calls = [
            replace(call, state=end.state, outcome=end.outcome, ended=end.ended)
            if call.open and (end := ended.get((call.attempt, call.number)))
            else call
            for call in task.calls
        ]
        known = replace(task, calls=calls)
        if open_lines(known):
            return Change(end=ends, spent=spent)
        change = await self._conclude(known, ends, [outcome for _, outcome in shown if not outcome.ok])
        change.spent = [*change.spent, *spent]
        return change

    def _show(self, line: CallRecord, outcome: Outcome) -> Outcome:
        """Return an outcome as it is kept, with when and why its batch was cancelled if it was not run for that."""
        if self.moved_up and outcome.state is State.NOT_SENT:
            outcome = replace(outcome, reason=f"{outcome.reason.rstrip('.')}; {self.moved_up}")
        return replace(outcome, body=restore_floats(line, outcome.body))

    async def _conclude(self, task: Task, ends: Sequence[CallEnd], troubles: Sequence[Outcome]) -> Change:
        attempt = BatchAttempt(self._route, task, ends)
        results = _collect_results(task)
        if results is not None:
            change = await attempt.conclude(results)
            if self._plan is not None:
                self._plan.count_end(task, change)
            return change
        outcome = troubles[0] if troubles else Outcome(State.NOT_SENT, reason="the answer to a part of it is missing")
        if self.moved_up and outcome.state is State.NOT_SENT:
            end = AttemptEnded(TaskState.WAITING, self.moved_up, due=self._shared.wall(), uncounted=True)
            return await attempt.refuse(end, request_of(_newest_line(task)))
        end = end_after(self._seen(outcome), outcome.sentence(), task, self._route.spec.settings, self._shared)
        return await attempt.refuse(end, request_of(_newest_line(task)))

    def _seen(self, outcome: Outcome) -> CallResult:
        """Return what a retry may cost: nothing, unless the line may have run."""
        if outcome.state is State.UNKNOWN:
            return CallResult(outcome, Effect.OPAQUE, self._on_unknown == "retry", self._target)
        if outcome.state is State.NOT_SENT:
            outcome = replace(outcome, state=State.REFUSED, action="retry")
        return CallResult(outcome, Effect.IDEMPOTENT, target=self._target)

    def _end(self, line: CallRecord, outcome: Outcome) -> CallEnd:
        return CallEnd(
            task=line.task,
            attempt=line.attempt,
            number=line.number,
            ended=self._shared.wall(),
            state=outcome.state,
            outcome=encode_outcome(outcome, self._shared.redact)[0],
        )

    def _charge(self, line: CallRecord, outcome: Outcome) -> Expense | None:
        body: JSON = members(line.request)["body"]
        cost = price_batch_line(self._shared.prices, body, outcome, regional=self._regional)
        self._priced.append(cost)
        budget = self._route.budget
        if budget is None:
            return None
        budget.learn_call(line.operation, body, cost)
        return budget.charge(cost)

    async def _commit(self, changes: Sequence[Change]) -> None:
        whole = Change()
        for change in changes:
            merge_change(whole, change)
        if changes:
            failpoints.reach("batch.results.before")
            await self._shared.commit(whole)
            failpoints.reach("batch.results.committed")
        for cost in self._priced:
            self._shared.observer.metrics.count_usage(self._route.spec.route, self._target, cost)
        self._priced = []


def _collect_results(task: Task) -> list[tuple[Outcome, JSON]] | None:
    """Return the answers to all requests of a task in their order; None while one is missing."""
    done = {
        members(call.request)["place"]: call for call in task.calls if is_batch_line(call) and call.state == State.DONE
    }
    if len(done) < members(_newest_line(task).request)["places"]:
        return None
    return [(decode_outcome(call.outcome), request_of(call)) for _, call in sorted(done.items())]


def _newest_line(task: Task) -> CallRecord:
    return next(call for call in reversed(task.calls) if is_batch_line(call))
