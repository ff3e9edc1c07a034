"""Tasks and calls as rows: states and queues as numbers, and rows as records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from connector.engine.sqlite.driver import Row
from connector.engine.tasks import CallRecord, Task, TaskState
from connector.model import JSON

__all__ = [
    "CALLS",
    "CALL_BITS",
    "CARRIED",
    "CODES",
    "COLUMNS",
    "DUE",
    "ENDED",
    "HELD",
    "LEASED",
    "LIVE_CODES",
    "PROCESSING",
    "READY",
    "STATES",
    "TASKS",
    "call_id_range",
    "parse_call",
    "parse_task",
]

CALL_BITS = 24
"""A call's id is its task's id, shifted by this many bits, plus its position among the task's calls."""
COLUMNS = (
    "t.id, {route}, d.document, {state}, d.key, d.version, t.ord, {attempts}, t.due, d.created, {updated}, t.reason,"
    " d.trace, d.source, t.carrier, t.retried, t.cut_off"
)
"""The columns of `parse_task`: of a task as it is, or as it will be when its lease is committed."""
AS_IT_IS = COLUMNS.format(route="r.name", state="t.state", attempts="t.attempts", updated="t.updated")
TASKS = f"SELECT {AS_IT_IS} FROM tasks t JOIN documents d ON d.id = t.id JOIN routes r ON r.id = t.route"
CALLS = (
    "SELECT c.id, c.attempt, c.number, c.fingerprint, c.target, c.operation, c.effect, c.lookup, c.request,"
    " c.started, e.ended, e.state, e.outcome FROM calls c LEFT JOIN ends e ON e.id = c.id"
    " WHERE c.id BETWEEN ? AND ? ORDER BY c.id"
)


def call_id_range(task: int) -> tuple[int, int]:
    """Return the lowest and the highest id that a call of a task can have."""
    return task << CALL_BITS, ((task + 1) << CALL_BITS) - 1


def parse_task(row: Sequence[Any], calls: Sequence[CallRecord] = ()) -> Task:
    """Return the task of a row of COLUMNS."""
    number, route, document, state, key, version, order, attempts, due, created, updated, reason, *more = row
    trace, source, carrier, retried, cut_off = more
    return Task(
        id=number,
        route=route,
        document=orjson.loads(document),
        state=STATES[int(state)],
        key=key,
        version=version,
        order=order or "",
        attempts=attempts,
        due=due,
        created=created,
        updated=updated,
        reason=reason,
        trace=trace,
        source=source,
        carrier=carrier,
        retried=retried,
        cut_off=cut_off,
        calls=calls,
    )


def parse_call(row: Row) -> CallRecord:
    """Return the call of a row of CALLS."""
    number, attempt, position, fingerprint, target, operation, effect, lookup, request, started, *end = row
    ended, state, outcome = end
    return CallRecord(
        task=number >> CALL_BITS,
        attempt=attempt,
        number=position,
        fingerprint=fingerprint,
        target=target,
        operation=operation,
        effect=effect,
        lookup=lookup,
        request=_parse_json(request),
        started=started,
        ended=ended or 0.0,
        state=state or "",
        outcome=_parse_json(outcome),
    )


def _parse_json(data: bytes | None) -> JSON:
    return None if data is None else orjson.loads(data)


STATES: Final[Sequence[TaskState]] = (
    TaskState.NEW,
    TaskState.WAITING,
    TaskState.PROCESSING,
    TaskState.FINISHED,
    TaskState.FAILED,
    TaskState.SKIPPED,
    TaskState.UNKNOWN,
)
"""By number. A leased task never becomes new again, so only other states are searched for earlier calls."""
CODES: Final[Mapping[TaskState, int]] = {state: code for code, state in enumerate(STATES)}
PROCESSING: Final = CODES[TaskState.PROCESSING]
LIVE_CODES: Final = range(PROCESSING + 1)

ENDED: Final = 0
"""The task has ended."""
READY: Final = 1
DUE: Final = 2
"""The task waits for a time; only leasing compares it with the clock, as clocks jump."""
HELD: Final = 3
"""An earlier task of its order key is live."""
CARRIED: Final = 4
LEASED: Final = 5
