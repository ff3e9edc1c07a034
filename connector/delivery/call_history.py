"""What the calls of a route used until now: the newest that are kept, each with what it asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from connector.delivery.call_records import PLACE
from connector.delivery.charges import RETRIEVE, price_kept_calls
from connector.delivery.payload_tokens import Asked, count_payload
from connector.delivery.route_names import BATCH, parent_of
from connector.engine import ENDS, CallRecord, Store
from connector.engine.feed import TaskRow
from connector.model import JSON, State, members
from connector.pipeline.decisions import may_have_acted
from connector.telemetry.costs import Prices
from connector.telemetry.usage import Usage

__all__ = ["CallHistory", "PaidCall", "TaskPast", "read_history", "transport_of_call"]

MOST_CALLS = 400
"""Paid calls that are looked at: older ones say little."""
MOST_ROWS = 50_000
WINDOW = 2_000
TOGETHER = 200


@dataclass(frozen=True, slots=True)
class PaidCall:
    """One call that was paid for.

    Attributes:
        asked: what it asked for; its tokens are 0 where its request was too large to be kept.
        at: when it ended, in seconds since 1970.
        seconds: how long it took; 0 for one in a batch.
        own: whether the route itself sent it, and not one that the route implies.
        batched: whether it went out in a batch.
        transport: how it was asked for: `standard`, a service tier, or a background window such as `window-2h`.
        lasted: the seconds until its answer was there, since it was asked for; 0 for one in a batch.
    """

    asked: Asked
    usage: Usage
    at: float
    seconds: float
    own: bool = True
    batched: bool = False
    transport: str = "standard"
    lasted: float = 0.0


@dataclass(frozen=True, slots=True)
class TaskPast:
    """One task that has ended: what was paid for it, the newest call last."""

    route: str
    calls: Sequence[PaidCall]


@dataclass(slots=True)
class CallHistory:
    """What is known of a route's past.

    Attributes:
        tasks: tasks that came to their end, the newest first.
        asked: how many different requests they made.
        paid: how many calls were paid for, or may have been.
        batch_seconds: how long each batch took, the newest first.
    """

    tasks: list[TaskPast] = field(default_factory=list[TaskPast])
    asked: int = 0
    paid: int = 0
    batch_seconds: list[float] = field(default_factory=list[float])

    @property
    def calls(self) -> list[PaidCall]:
        """All paid calls, the newest first."""
        return [call for task in self.tasks for call in reversed(task.calls)]


async def read_history(store: Store, prices: Prices, route: str, *, most: int = MOST_CALLS) -> CallHistory:
    """Return what the newest tasks of a route, and of those that it implies, asked for and used."""
    found, counted, looked = CallHistory(), 0, 0
    last = await store.feed.newest()
    while last > 0 and counted < most and looked < MOST_ROWS:
        rows = await store.feed.rows_between(max(1, last - WINDOW + 1), last)
        last -= WINDOW
        looked += WINDOW
        ended = [row for row in reversed(rows) if row.state in ENDS and parent_of(row.route)[0] == route]
        for place in range(0, len(ended), TOGETHER):
            page = ended[place : place + TOGETHER]
            calls = await store.feed.calls([row.id for row in page])
            counted += sum(_add(found, row, calls.get(row.id, ()), prices) for row in page)
            if counted >= most:
                break
    return found


def _add(found: CallHistory, row: TaskRow, calls: Sequence[CallRecord], prices: Prices) -> int:
    """Add a task; return the number of its paid calls."""
    ending = parent_of(row.route)[1]
    if ending == BATCH:
        if any(call.operation == "batches create" and call.state == State.DONE for call in calls):
            found.batch_seconds.append(max(row.updated - row.created, 1.0))
        return 0
    paid = list(_paid_calls(calls, prices, own=not ending))
    doubtful = [call for call in calls if call.state != State.DONE and may_have_acted(call.state, call.outcome)]
    if not ending:
        charged = {call.fingerprint for call in calls if call.effect != "none"}
        found.asked += len(charged)
        found.paid += sum(call.own for call in paid) + len(doubtful)
    found.tasks.append(TaskPast(row.route, paid))
    return len(paid)


def _paid_calls(calls: Sequence[CallRecord], prices: Prices, *, own: bool) -> Iterator[PaidCall]:
    asked_for = [call for call in calls if call.state == State.DONE and call.operation != RETRIEVE]
    made = {members(members(call.outcome).get("body")).get("id"): call for call in asked_for}
    begun = {name: call for name, call in made.items() if isinstance(name, str)}
    for call, cost in price_kept_calls(prices, calls):
        first = begun.get(str(members(members(call.outcome).get("body")).get("id")), call)
        first = first if call.operation == RETRIEVE else call
        asked = _asked(first, cost.model)
        batched = PLACE in members(call.request)
        seconds = 0.0 if batched else max(call.ended - call.started, 0.0)
        lasted = 0.0 if batched else max(call.ended - first.started, 0.0)
        yield PaidCall(
            asked, cost.usage, call.ended or call.started, seconds, own=own, batched=batched,
            transport=transport_of_call(first), lasted=lasted,
        )  # fmt: skip


def transport_of_call(call: CallRecord) -> str:
    """Return how a single call was asked for, as far as what is kept of it tells."""
    body: JSON = members(call.request).get("body")
    window = members(members(body).get("background_options")).get("completion_window")
    if isinstance(window, str) and members(body).get("background") is True:
        return f"window-{window}"
    tier = members(body).get("service_tier")
    return tier if tier in ("flex", "priority") else "standard"


def _asked(call: CallRecord, model: str) -> Asked:
    body: JSON = members(call.request).get("body")
    payload: Mapping[str, JSON] = members(body)
    if not payload or "$omitted" in payload:
        return Asked(call.operation, model, 0.0)
    return count_payload(call.operation, payload)
