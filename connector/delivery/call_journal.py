"""The journal of one attempt: every call is on disk before its first byte, and what is done is never done again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count

from connector.delivery.budget import OVER_BUDGET, RouteBudget
from connector.delivery.call_forecast import Likely
from connector.delivery.call_records import (
    MOST_KEPT,
    encode_outcome,
    encode_request,
)
from connector.delivery.charges import RETRIEVE, is_charged, price_call
from connector.delivery.context import DeliveryContext, TargetBreaker
from connector.delivery.idempotency_keys import Lookup, key_of, place_lookup
from connector.delivery.task_calls import TaskCalls
from connector.engine import BudgetExceeded, CallEnd, CallRecord, StoreError, Task, failpoints
from connector.errors import ConfigurationError
from connector.http.policy import is_already_done
from connector.http.retry import AFTER_DOUBT
from connector.model import JSON, Effect, Outcome, State, members
from connector.pipeline.decisions import SURE, CallResult
from connector.publishers import Begin, CallIntent, OnUnknown
from connector.telemetry.costs import Cost

__all__ = ["CallJournal", "as_it_is"]

BACKGROUND_OPERATIONS = ("responses create", RETRIEVE)


def as_it_is(intent: CallIntent) -> CallIntent:
    """Return a call unchanged."""
    return intent


class CallJournal(TaskCalls):
    """The calls that one attempt makes.

    Args:
        task: with the calls of its earlier attempts.
        shared: what all attempts share.
        budget: what the route may use; None without a limit.
        on_unknown: whether a costly call without a known end is sent again; the client's setting unless given.
        window: by when the route's background responses are made, which is a price of its own.
        guard: returns a call as it may be made, on behalf of whoever asks for it.
    """

    def __init__(
        self,
        task: Task,
        shared: DeliveryContext,
        budget: RouteBudget | None,
        on_unknown: OnUnknown | None,
        window: str | None = None,
        guard: Callable[[CallIntent], CallIntent] = as_it_is,
    ) -> None:
        super().__init__(task)
        self._guard = guard
        self._shared = shared
        self._budget = budget
        self._window = window
        self._on_unknown = on_unknown
        made = [call.number for call in task.calls if call.attempt == task.attempts]
        self._numbers = count(1 + max(made) if made else 0)
        self._going_on: dict[str, Likely] = {}
        self.failures: list[CallResult] = []
        """The calls of this attempt that are not done."""
        self.broken: StoreError | None = None
        """Why nothing can be written down any more, even if a chain took it for a failure of its own."""

    def check(self) -> None:
        """Raise what broke the journal: it is no fault of a chain, even if the chain took it for one."""
        if self.broken is not None:
            raise self.broken

    def repeats(self, target: str) -> bool:
        """Return whether a costly call may be sent again when its end is unknown."""
        if self._on_unknown is not None or target not in self._shared.runtime.configuration.clients:
            return self._on_unknown == "retry"
        return self._shared.runtime.client(target).parameters.retry.on_unknown == "retry"

    async def flush(self) -> None:
        """Write down what was seen until now, though its task goes on."""
        await self._shared.commit(self._drain())

    def make_line(self, intent: CallIntent, known: str, said: JSON) -> CallRecord:
        """Return the record of a call that goes out together with others; `add` writes it down."""
        return self._make_record(replace(intent, effect=Effect.OPAQUE), known, "", said)

    async def perform(self, intent: CallIntent) -> Outcome:
        """Return what a call came to, now or in an earlier attempt."""
        try:
            return await self._perform(self._guard(intent))
        except BudgetExceeded as full:
            reason = self._budget.note_exceeded(full) if self._budget is not None else str(full)
            return self._record_failure(intent, Outcome(State.NOT_SENT, reason=reason, action=OVER_BUDGET))
        except StoreError as error:
            self.broken = self.broken or error
            raise

    async def _perform(self, intent: CallIntent) -> Outcome:
        known, done = self.recall(intent)
        if done is not None:
            return done
        breaker = self._shared.breakers.of(intent.target)
        entered = await self._enter(breaker, intent)
        if isinstance(entered, Outcome):
            return self._record_failure(intent, entered)
        try:
            outcome = await self._make(intent, known)
        except BaseException:
            breaker.cancel(entered)
            raise
        breaker.record(entered, outcome)
        return outcome

    def _price(self, intent: CallIntent, outcome: Outcome) -> Cost:
        begun = intent.operation == RETRIEVE and self._has_asked_for(outcome)
        return price_call(self._shared.prices, intent, outcome, tier=self._tier_of(intent), begun=begun)

    def _has_asked_for(self, outcome: Outcome) -> bool:
        """Return whether an answer is a response that this task has asked for before, in the background."""
        name = members(outcome.body).get("id")
        made = [members(members(call.outcome).get("body")).get("id") for call in (*self._task.calls, *self._sent)]
        return isinstance(name, str) and name in made

    def _observe(self, intent: CallIntent, outcome: Outcome, cost: Cost) -> None:
        sent = intent.call
        self._shared.observer.record_call(
            outcome,
            sum([attempt.seconds + attempt.waited for attempt in outcome.attempts]),
            cost,
            client=intent.target,
            operation=intent.operation,
            method=sent.wire.method if sent else "",
            path=sent.wire.path if sent else "",
            payload=sent.payload if sent else None,
            route=self._task.route,
        )

    def _tier_of(self, intent: CallIntent) -> str:
        """Return the tier that the route asks for, and that no answer names: that of a background window."""
        has_window = self._window is not None and intent.operation in BACKGROUND_OPERATIONS
        return f"window-{self._window}" if has_window else ""

    async def _enter(self, breaker: TargetBreaker, intent: CallIntent) -> int | Outcome:
        """Return a ticket for a call, or why it must wait; a client that was paused elsewhere rests here as well."""
        client = intent.call.client if intent.call else None
        if client is not None and client.paused and breaker.pause is None:
            entered = breaker.enter()
            if isinstance(entered, int):
                breaker.record(entered, replace(client.paused.outcome(), action="pause"))
        entered = breaker.enter()
        paused = client.paused if client is not None else None
        if client is None or paused is None or not isinstance(entered, int) or await client.begin_probe():
            return entered
        breaker.record(entered, replace(paused.outcome(), action="pause"))
        return breaker.enter()

    async def _make(self, intent: CallIntent, known: str) -> Outcome:
        intent, lookup = await self._add_key(intent, known)
        earlier = self._find_doubtful_before(intent, known)
        record = self._make_record(intent, known, lookup, *encode_request(intent, self._shared.redact))
        begun: list[CallRecord] = []
        likely = await self._foretell(intent)

        async def begin() -> None:
            begun.append(record)
            self._sent.append(record)
            failpoints.reach("delivery.intent.before")
            try:
                await self._commit_intent(record, likely)
            except BudgetExceeded:
                begun.clear()
                self._sent.remove(record)
                raise
            failpoints.reach("delivery.intent.committed")

        outcome = await self._try(intent, begin, begun)
        failpoints.reach("delivery.outcome.seen")
        if earlier and outcome.state is State.REFUSED:
            outcome = _interpret_refusal(intent, outcome)
        cost = self._price(intent, outcome)
        self._observe(intent, outcome, cost)
        shown = self._record_end(intent, begun[0], outcome, cost) if begun else self._record_failure(intent, outcome)
        if self._budget is not None:
            self._learn(self._budget, outcome, likely, cost)
            await self._budget.warn()
        return shown

    async def _foretell(self, intent: CallIntent) -> Likely | None:
        """Return what a call is likely to use, where that counts and costs anything."""
        call = intent.call
        if self._budget is None or call is None or intent.effect is Effect.NONE or not is_charged(call.wire):
            return None
        asked = members(call.payload).get("service_tier")
        tier = self._tier_of(intent) or (asked if isinstance(asked, str) else "")
        return await self._budget.foretell(intent.operation, call.payload, tier, regional=bool(call.client.region))

    def _learn(self, budget: RouteBudget, outcome: Outcome, likely: Likely | None, cost: Cost) -> None:
        """Remember what a call used; a response that is made in the background tells only when it is read."""
        name = str(members(outcome.body).get("id"))
        if likely is not None and self._goes_on(outcome):
            self._going_on[name] = likely
        else:
            budget.learn(likely or self._going_on.get(name), cost)

    async def reserve_lines(self, lines: Sequence[CallRecord]) -> None:
        """Write down lines of a batch: at once where they need a budget, which raises when it has too little left."""
        budget = self._budget
        if budget is None:
            self.add(lines)
            return
        for line in lines:
            said = members(line.request)
            likely = await budget.foretell(line.operation, said.get("body"), "batch", regional=False)
            await self._reserve(budget, line, likely)
        self._unwritten += lines
        change = self._drain()
        try:
            await self._shared.commit(change)
        except BudgetExceeded:
            self._unwritten, self._seen, self._spent = [], list(change.end), list(change.spent)
            raise

    async def _reserve(self, budget: RouteBudget, record: CallRecord, likely: Likely) -> None:
        wanted = budget.reserve(record, likely)
        self._reserved.append(wanted)
        if budget.is_shadow and (stopped := await budget.find_shadow_stop(wanted)) is not None:
            self._spent.append(stopped)
            self._shared.observer.metrics.shadow_stops.add((self._task.route,))

    def _make_record(
        self, intent: CallIntent, known: str, lookup: str, request: JSON, encoded: bytes | None = None
    ) -> CallRecord:
        return CallRecord(
            task=self._task.id,
            attempt=self._task.attempts,
            number=next(self._numbers),
            fingerprint=known,
            target=intent.target,
            operation=intent.operation,
            effect=intent.effect,
            lookup=lookup,
            request=request,
            started=self._shared.wall(),
            encoded=encoded,
        )

    async def _add_key(self, intent: CallIntent, known: str) -> tuple[CallIntent, str]:
        """Return a call with a key to find its effect by; a call that cannot be found is never repeated."""
        if intent.effect is not Effect.RECONCILABLE or intent.call is None:
            return intent, ""
        client = intent.call.client
        intent, lookup = self._shared.keys.add_key(intent, key_of(self._task, known))
        if lookup is not None and not lookup.own:
            lookup = await self._shared.snapshots.take(intent.target, client, lookup)
        text = place_lookup(lookup, client).dump() if lookup is not None else ""
        if text and self._shared.redact.is_clean(text):
            return intent, text
        return replace(intent, effect=Effect.OPAQUE), ""

    async def _try(self, intent: CallIntent, begin: Begin, begun: Sequence[CallRecord]) -> Outcome:
        # A client repeats only calls that may be repeated; every other repeat is made, and recorded, here.
        on_unknown: OnUnknown | None = None if intent.effect.repeatable else "hold"
        try:
            return await intent.make(intent, on_unknown, begin)
        except ConfigurationError as error:
            if begun or not _has_no_key(intent):
                raise
            return Outcome(State.NOT_SENT, reason=str(error), action="pause")

    async def _commit_intent(self, record: CallRecord, likely: Likely | None) -> None:
        """Record a call before it is sent, with all ends seen so far; the record of a read may be delayed."""
        self._unwritten.append(record)
        if self._budget is not None and likely is not None:
            await self._reserve(self._budget, record, likely)
        if record.effect != Effect.NONE:
            change = self._drain()
            try:
                await self._shared.commit(change)
            except BudgetExceeded:
                self._put_back(change, record)
                raise

    def _record_end(self, intent: CallIntent, record: CallRecord, outcome: Outcome, cost: Cost) -> Outcome:
        kept, data = encode_outcome(outcome, self._shared.redact)
        self._sent[self._sent.index(record)] = replace(record, state=outcome.state, outcome=kept)
        end = CallEnd(
            task=record.task,
            attempt=record.attempt,
            number=record.number,
            ended=self._shared.wall(),
            state=outcome.state,
            outcome=kept,
            pending=outcome.ok and self._goes_on(outcome),
            encoded=data,
        )
        self._note_lookup(record, outcome)
        # A call that is not done is reported with the task's next state: alone it would look like the task's end.
        (self._seen if outcome.ok else self._last).append(end)
        if len(data) > MOST_KEPT:
            self._large.append(end)
        spent = self._budget.charge(cost) if self._budget is not None else None
        if spent is not None:
            self._spent.append(spent)
        shown = outcome
        if kept["body"] is not outcome.body or kept["headers"] is not outcome.headers:
            shown = replace(outcome, **{name: kept[name] for name in ("headers", "body", "request_id")})
        return shown if outcome.ok else self._record_failure(intent, shown)

    def _goes_on(self, outcome: Outcome) -> bool:
        """Return whether a response is still being made, in the background."""
        made = members(outcome.body)
        return made.get("background") is True and made.get("status") in ("queued", "in_progress")

    def _note_lookup(self, record: CallRecord, outcome: Outcome) -> None:
        """Note for later lookups what a call has made, or when it may have ended."""
        if record.lookup and outcome.ok:
            lookup = Lookup.parse(record.lookup)
            if not lookup.own:
                self._shared.snapshots.note_made(record.target, lookup, outcome.body)
        elif record.lookup:
            self._shared.windows.note_end(record)

    def _record_failure(self, intent: CallIntent, outcome: Outcome) -> Outcome:
        self.failures.append(CallResult(outcome, intent.effect, self.repeats(intent.target), intent.target))
        return outcome


def _interpret_refusal(intent: CallIntent, outcome: Outcome) -> Outcome:
    """Return the outcome of a refusal after a call that may have taken effect, which the refusal does not undo."""
    method = intent.call.wire.method if intent.call is not None else ""
    if is_already_done(outcome.status or 0, method, intent.effect, outcome.reason):
        return replace(outcome, state=State.DONE, reason="it is so already, as an earlier try wanted it")
    if outcome.action in SURE:
        return outcome
    reason = f"{outcome.reason}; {AFTER_DOUBT}"
    return replace(outcome, state=State.UNKNOWN, action="unknown", reason=reason)


def _has_no_key(intent: CallIntent) -> bool:
    """Return whether a call could not be made for want of credentials, as every other of this client."""
    if intent.call is None:
        return False
    warnings = intent.call.client.explain(intent.call.wire).warnings
    return any(warning.where == "headers.authorization" for warning in warnings)
