"""Calls of earlier attempts without a known end: looked up if possible, else held or sent again."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from connector.delivery.call_journal import CallJournal
from connector.delivery.call_records import MISSING, account_digest
from connector.delivery.context import DeliveryContext
from connector.delivery.idempotency_keys import Lookup
from connector.delivery.lookup import CannotTell, Found, look
from connector.engine import CallEnd, CallRecord, Settlement, Task, TaskState
from connector.errors import ConnectorError
from connector.http import Client
from connector.http.wait_hints import parse_retry_after
from connector.model import JSON, Effect, Outcome, State, is_object, members
from connector.pipeline.decisions import may_have_acted
from connector.resilience import Backoff

__all__ = ["Reconciliation", "reconcile"]

CUT_OFF = "cut off: the process ended before anything was seen of its end"
LOOKED = "looked"
"""The member of an outcome that says that looking was in vain and is not tried again."""
LOOKUPS = Backoff(2.0, 120.0)
"""Seconds until the list is asked again that could not be read."""
MOST_IN_VAIN = 50
"""After this many answers in a row that are no complete list, the search gives up."""


@dataclass(slots=True)
class Reconciliation:
    """What reconciling found out.

    Attributes:
        ends: what the calls came to, as far as that is known now.
        settled: the state of the task, when it goes no further for now.
        records: what others must know of it.
    """

    ends: list[CallEnd] = field(default_factory=list[CallEnd])
    settled: Settlement | None = None
    records: dict[tuple[str, str], JSON] = field(default_factory=dict[tuple[str, str], JSON])


async def reconcile(task: Task, journal: CallJournal, shared: DeliveryContext) -> Reconciliation:
    """Find out what became of calls whose end is not known."""
    doubts = Reconciliation()
    for place, call in enumerate(task.calls):
        if not _is_in_doubt(call):
            continue
        # A person who retried the task by hand has looked already.
        held = place >= task.retried
        if Effect(call.effect).repeatable:
            doubts.ends.append(_make_end(call, shared, State.UNKNOWN, {"reason": CUT_OFF}))
        elif call.lookup:
            await _look_for(call, task, shared, doubts, held=held)
        else:
            _settle_opaque(call, task, shared, doubts, held=held and not journal.repeats(call.target))
        if doubts.settled is not None:
            break
    return doubts


def _is_in_doubt(call: CallRecord) -> bool:
    """Return whether a call must be looked for; a costly one that ended as unknown was released by a person."""
    if call.open or not call.lookup:
        return call.open
    return LOOKED not in members(call.outcome) and may_have_acted(call.state, call.outcome)


def _settle_opaque(
    call: CallRecord, task: Task, shared: DeliveryContext, doubts: Reconciliation, *, held: bool
) -> None:
    doubts.ends.append(_make_end(call, shared, State.UNKNOWN, {"reason": CUT_OFF}))
    if held:
        notice = f"{call.operation} may have taken effect in attempt {call.attempt}: {CUT_OFF}"
        reason = f"{notice}; look whether it did before it is sent again"
        doubts.settled = Settlement(task=task.id, state=TaskState.UNKNOWN, reason=reason)


async def _look_for(
    call: CallRecord, task: Task, shared: DeliveryContext, doubts: Reconciliation, *, held: bool
) -> None:
    lookup = Lookup.parse(call.lookup)
    client = _find_client(call, lookup, shared)
    if isinstance(client, str):
        _settle_unreachable(call, task, client, shared, doubts, held=held)
        return
    rests = shared.breakers.of(call.target).rests
    if rests:
        doubts.settled = _make_wait(task, shared, rests, f"{call.operation} is looked for when {call.target} is back")
        return
    taken = () if lookup.own else shared.taken | set(await shared.store.records("found"))
    try:
        found = await look(client, lookup, call.started, taken)
    except ConnectorError as error:
        _settle_unreachable(call, task, str(error), shared, doubts, held=held)
        return
    if isinstance(found, CannotTell):
        _settle_unreadable(call, task, found, client, shared, doubts, held=held)
        return
    shared.lists_in_vain.pop(_key(call), None)
    if isinstance(found, Found):
        shared.windows.forget(call)
        _settle_found(call, lookup, found, shared, doubts)
    else:
        _settle_missing(call, task, shared.windows.remaining(call, lookup, client), shared, doubts)


def _find_client(call: CallRecord, lookup: Lookup, shared: DeliveryContext) -> Client | str:
    """Return the client that a call went through; in words why its things cannot be listed any more."""
    try:
        client = shared.runtime.client(call.target)
    except ConnectorError as error:
        return _find_renamed(lookup, shared) or str(error)
    if lookup.place and lookup.place != account_digest(client):
        why = f"client {call.target!r} calls another address or account now than it did then"
        return _find_renamed(lookup, shared) or why
    return client


def _find_renamed(lookup: Lookup, shared: DeliveryContext) -> Client | None:
    """Return the client of another name that calls whom the one of then called."""
    for name in shared.runtime.configuration.clients if lookup.place else ():
        with suppress(ConnectorError):
            client = shared.runtime.client(name)
            if account_digest(client) == lookup.place:
                return client
    return None


def _settle_unreachable(
    call: CallRecord, task: Task, why: str, shared: DeliveryContext, doubts: Reconciliation, *, held: bool
) -> None:
    """Hold a call whose client or catalogue has changed; a manual retry looks again once that is restored."""
    doubts.ends.append(_make_end(call, shared, State.UNKNOWN, _known_outcome(call)))
    if held:
        notice = (
            f"{call.operation} may have taken effect in attempt {call.attempt}, and whether it did cannot be looked up"
        )
        reason = shared.redact.text(f"{notice}: {why}; put that back and retry it, which looks before it sends")
        doubts.settled = Settlement(task=task.id, state=TaskState.UNKNOWN, reason=reason)


def _settle_found(
    call: CallRecord, lookup: Lookup, found: Found, shared: DeliveryContext, doubts: Reconciliation
) -> None:
    note: dict[str, JSON] = {"by": ".".join(lookup.field), "others": list(found.others)}
    body = shared.redact(found.entity)
    kept: JSON = {"status": 200, "headers": {}, "body": body, "request_id": None, "found": note}
    doubts.ends.append(_make_end(call, shared, State.DONE, kept))
    if not lookup.own and is_object(body):
        shared.taken.add(str(body.get("id")))
        doubts.records["found", str(body.get("id"))] = {"task": call.task}


def _settle_missing(call: CallRecord, task: Task, left: float, shared: DeliveryContext, doubts: Reconciliation) -> None:
    """Wait while the list settles; after that the call counts as not sent."""
    if left:
        until = datetime.fromtimestamp(shared.wall() + left).astimezone()
        reason = (
            f"{call.operation} may still take effect until {until:%H:%M:%S %Z}; it is looked for, and sent again only "
            "when it has not shown by then"
        )
        doubts.settled = _make_wait(task, shared, shared.windows.until_next_look(call, left), reason)
    else:
        shared.windows.forget(call)
        reason = "looked for it when the list had settled, and it was not there: it did not take effect"
        doubts.ends.append(
            _make_end(call, shared, State.NOT_SENT, {**_known_outcome(call), "reason": reason, MISSING: True})
        )


def _settle_unreadable(
    call: CallRecord,
    task: Task,
    found: CannotTell,
    client: Client,
    shared: DeliveryContext,
    doubts: Reconciliation,
    *,
    held: bool,
) -> None:
    outcome = found.outcome
    why = f"{call.operation} may have taken effect, and whether it did cannot be looked up: {outcome.reason}"
    if _is_passing(call, outcome, shared):
        tried = shared.lists_in_vain[_key(call)]
        seconds = LOOKUPS.delay(tried - 1, shared.timing.chance(), parse_retry_after(outcome.headers))
        doubts.settled = _make_wait(task, shared, seconds, f"{why}; it is looked up again")
        return
    if outcome.status == 403:
        # A key that may make things and not list them is no reason to stop all the others.
        client.resume()
    doubts.ends.append(_make_end(call, shared, State.UNKNOWN, {**_known_outcome(call), LOOKED: outcome.sentence()}))
    reason = shared.redact.text(f"{why}; look for it before it is sent again")
    if held:
        doubts.settled = Settlement(task=task.id, state=TaskState.UNKNOWN, reason=reason)


def _is_passing(call: CallRecord, outcome: Outcome, shared: DeliveryContext) -> bool:
    """Return whether the list may be read later: only a complete one is a verdict."""
    tried = shared.lists_in_vain[_key(call)] = shared.lists_in_vain.get(_key(call), 0) + 1
    if outcome.state is State.NOT_SENT:
        return not outcome.faults
    status = outcome.status or 0
    if 200 <= status < 400:
        # It came, and was cut, or no list, or an error after all: that may be so for ever.
        return tried < MOST_IN_VAIN
    return outcome.state is State.UNKNOWN or status in (401, 408, 409, 429) or status >= 500


def _key(call: CallRecord) -> tuple[int, int, int]:
    return call.task, call.attempt, call.number


def _known_outcome(call: CallRecord) -> dict[str, JSON]:
    return dict(call.outcome) if is_object(call.outcome) else {"reason": CUT_OFF}


def _make_wait(task: Task, shared: DeliveryContext, seconds: float, reason: str) -> Settlement:
    reason, due = shared.redact.text(reason), shared.wall() + seconds
    return Settlement(task=task.id, state=TaskState.WAITING, reason=reason, due=due, uncounted=True)


def _make_end(call: CallRecord, shared: DeliveryContext, state: State, outcome: JSON) -> CallEnd:
    return CallEnd(
        task=call.task, attempt=call.attempt, number=call.number, ended=shared.wall(), state=state, outcome=outcome
    )
