"""What a commit does: encode a change before its transaction, then accept, carry and settle tasks within it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

import orjson

from connector.documents import check, dump
from connector.engine.change import Carrier, Change, CommitResult, Settlement
from connector.engine.sqlite.driver import Row
from connector.engine.sqlite.journal import (
    add_expenses,
    append_lines,
    forget_lines,
    put_cursors,
    put_records,
    write_ends,
    write_intents,
)
from connector.engine.sqlite.queue import HeldLeases, find_leases, update_turns
from connector.engine.sqlite.reservations import (
    check_reservations,
    release,
    settle_reservations,
    write_reservations,
)
from connector.engine.sqlite.rows import CARRIED, CODES, DUE, ENDED, HELD, READY
from connector.engine.sqlite.session import Session
from connector.engine.store import StoreError
from connector.engine.tasks import DELETED, ENDS, NewTask, TaskState
from connector.model import JSON

__all__ = ["KINDS", "EncodedChange", "apply_change", "encode_change", "end_members"]


def apply_change(session: Session, encoded: EncodedChange) -> CommitResult:
    """Apply all of a change; an error before the first write leaves the transaction as it was."""
    change = encoded.change
    held = find_leases(session, change)
    if change.reserve:
        check_reservations(session, change)
    accepted = accept(session, change.accept, encoded.documents) if change.accept else ()
    carriers = start_carriers(session, change.carry, encoded.carriers) if change.carry else ()
    if carriers:
        carry(session, change.carry, carriers, held)
    if change.intend:
        write_intents(session, change.intend, encoded.requests, held)
    if change.end:
        write_ends(session, change.end, encoded.ends, held)
        release(session, change.end)
    if change.settle:
        settle(session, change.settle, held)
        settle_reservations(session, change.settle)
    if change.reserve:
        write_reservations(session, change.reserve)
    _apply_values(session, change, encoded)
    return CommitResult(accepted, carriers)


def _apply_values(session: Session, change: Change, encoded: EncodedChange) -> None:
    """Apply what is kept beside the tasks."""
    if encoded.cursors:
        put_cursors(session, encoded.cursors)
    if encoded.records:
        put_records(session, encoded.records)
    if change.lines:
        append_lines(session, change.lines)
    if change.written:
        forget_lines(session, change.written)
    if change.spent:
        add_expenses(session, change.spent)


KINDS = ("accept", "carry", "intend", "end", "settle", "cursors", "records", "lines", "written", "spent")
"""The parts of a change, in the order in which they are applied."""
PARTS = attrgetter(*KINDS)


@dataclass(slots=True)
class EncodedChange:
    """A change with the bytes of each of its parts that hold JSON."""

    change: Change
    kinds: Sequence[str]
    documents: Sequence[bytes]
    carriers: Sequence[bytes]
    requests: Sequence[bytes | None]
    ends: Sequence[bytes | None]
    cursors: Sequence[tuple[str, bytes | None]]
    records: Sequence[tuple[str, str, bytes | None]]


def encode_change(change: Change) -> EncodedChange:
    """Encode a change; raise InvalidDocument when part of it is not JSON."""
    # Most changes have one or two of these parts, of one task: nothing is built for the others.
    return EncodedChange(
        change,
        [kind for kind, part in zip(KINDS, PARTS(change), strict=True) if part],
        [dump(task.document) for task in change.accept] if change.accept else (),
        [dump(carried.carrier.document) for carried in change.carry] if change.carry else (),
        [call.encoded or _encode(call.request) for call in change.intend] if change.intend else (),
        [end.encoded or _encode(end.outcome) for end in change.end] if change.end else (),
        [(name, _encode(value)) for name, value in change.cursors.items()] if change.cursors else (),
        [(*spot, _encode(value)) for spot, value in change.records.items()] if change.records else (),
    )


def _encode(value: JSON) -> bytes | None:
    """Encode a value that was read as JSON already, and is checked only when that fails."""
    if value is None:
        return None
    try:
        return orjson.dumps(value)
    except TypeError:
        check(value)
        raise


TASK = (
    "INSERT INTO tasks (id, route, state, queue, due, attempts, updated, reason, ord, carrier, members)"
    " VALUES (?, ?, ?, ?, ?, 0, ?, '', ?, 0, ?)"
)
DOCUMENT = "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?)"
# The key's task becomes this one, unless it was seen before: then only its reading is updated.
KEY = (
    "INSERT INTO keys VALUES (?, ?, ?, ?, ?) ON CONFLICT (route, key) DO UPDATE SET"
    " reading = max(reading, excluded.reading), version = iif({seen}, version, excluded.version),"
    " task = iif({seen}, task, excluded.task) RETURNING task"
)
BY_VERSION = KEY.format(seen="version = excluded.version")
BY_KEY = KEY.format(
    seen=f"(version <> '{DELETED}' AND substr(version, 1, length(excluded.version)) = excluded.version)"
)


class _NewRows:
    """Rows of new tasks that are written together."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._tasks: list[Row] = []
        self._documents: list[Row] = []
        self._orders: set[tuple[int, str]] = set()

    def add(self, number: int, route: int, task: NewTask, document: bytes, members: int = 0) -> None:
        now = self._session.now
        state = TaskState.WAITING if task.due > now else TaskState.NEW
        queue = HELD if task.order else DUE if task.due > 0 else READY
        order = task.order or None
        self._tasks.append((number, route, CODES[state], queue, task.due, now, order, members))
        self._documents.append((number, task.key, task.version, task.trace, task.source, now, document))
        self._session.add_to_count(route, state, 1)
        if order:
            self._orders.add((route, order))

    def write(self) -> None:
        if self._tasks:
            self._session.execute_many(TASK, self._tasks)
            self._session.execute_many(DOCUMENT, self._documents)
            self._session.has_news = True
            update_turns(self._session, self._orders)


def accept(session: Session, tasks: Sequence[NewTask], documents: Sequence[bytes]) -> Sequence[int]:
    """Accept documents; return the ids of the new tasks, 0 for a duplicate."""
    rows = _NewRows(session)
    accepted: list[int] = []
    for task, document in zip(tasks, documents, strict=True):
        route, number = session.route_id(task.route), session.next_task_id()
        if task.identity and _claim_key(session, route, task, number) != number:
            session.return_task_id()
            number = 0
        else:
            rows.add(number, route, task, document)
        accepted.append(number)
    rows.write()
    return accepted


def _claim_key(session: Session, route: int, task: NewTask, number: int) -> int:
    """Return the task that holds a key: this one, or the one that was seen with it."""
    sql = BY_KEY if task.unique == "key" else BY_VERSION
    return int(session.fetch_one(sql, (route, task.identity, task.version, task.reading, number))[0])


def start_carriers(session: Session, carriers: Sequence[Carrier], documents: Sequence[bytes]) -> Sequence[int]:
    """Accept tasks that carry others; they are never duplicates, even with equal keys."""
    rows = _NewRows(session)
    numbers: list[int] = []
    for carried, document in zip(carriers, documents, strict=True):
        numbers.append(session.next_task_id())
        route = session.route_id(carried.carrier.route)
        rows.add(numbers[-1], route, carried.carrier, document, len(carried.members))
    rows.write()
    return numbers


SETTLE = (
    "UPDATE tasks SET state = ?, queue = ?, due = ?, attempts = attempts - ?, cut_off = 0, updated = ?, reason = ?,"
    " carrier = iif(?, carrier, 0) WHERE id = ?"
)
CARRY = f"UPDATE tasks SET state = 1, queue = {CARRIED}, carrier = ?, updated = ? WHERE id = ?"
MEMBERS = f"FROM tasks WHERE carrier = ? AND queue = {CARRIED}"
END_MEMBERS = f"UPDATE tasks SET state = ?, queue = 0, updated = ?, reason = ? WHERE carrier = ? AND queue = {CARRIED}"


def settle(session: Session, settled: Sequence[Settlement], held: HeldLeases) -> None:
    """Settle tasks; they are leased no longer."""
    rows: list[Row] = []
    if len({one.task for one in settled}) < len(settled):
        raise StoreError("a task is settled twice in one change; nothing was done")
    for one in settled:
        lease = held[one.task]
        leased = one.task in session.leases
        session.add_to_count(lease.route, TaskState.PROCESSING if leased else TaskState.WAITING, -1)
        session.add_to_count(lease.route, one.state, 1)
        rows.append(_make_row(session, one))
        if leased:
            session.leases.drop(one.task)
    session.execute_many(SETTLE, rows)
    for one in settled:
        if held[one.task].members:
            _end_carrier(session, one)
    update_turns(session, {(held[one.task].route, order) for one in settled if (order := held[one.task].order)})


def carry(session: Session, carried: Sequence[Carrier], carriers: Sequence[int], held: HeldLeases) -> None:
    """Move leased tasks into their carriers, where they wait."""
    for one, carrier in zip(carried, carriers, strict=True):
        for member in one.members:
            session.add_to_count(held[member].route, TaskState.PROCESSING, -1)
            session.add_to_count(held[member].route, TaskState.WAITING, 1)
            session.leases.drop(member)
        session.execute_many(CARRY, [(carrier, session.now, member) for member in one.members])


def end_members(session: Session, carrier: int, state: TaskState, reason: str) -> None:
    """End all tasks that wait in a carrier the same way."""
    routes = session.fetch_all(f"SELECT route, count(*) {MEMBERS} GROUP BY route", (carrier,))
    orders = session.fetch_all(f"SELECT DISTINCT route, ord {MEMBERS} AND ord IS NOT NULL", (carrier,))
    session.execute(END_MEMBERS, (CODES[state], session.now, reason, carrier))
    for route, members in routes:
        session.add_to_count(route, TaskState.WAITING, -members)
        session.add_to_count(route, state, members)
    update_turns(session, orders)


def _make_row(session: Session, one: Settlement) -> Row:
    ended = one.state in ENDS
    if one.state is TaskState.PROCESSING:
        raise StoreError(f"task {one.task} cannot be settled as processing; it can end, wait or be new")
    queue = ENDED if ended else DUE if one.due > 0 else READY
    if not ended:
        session.has_news = True
    return CODES[one.state], queue, one.due, one.uncounted, session.now, one.reason, ended, one.task


def _end_carrier(session: Session, one: Settlement) -> None:
    if one.carried and one.state in ENDS:
        end_members(session, one.task, one.state, one.reason)
    elif one.carried:
        raise StoreError(f"task {one.task} does not end as {one.state}, so those that go in it cannot end with it")
    elif one.state in ENDS and session.fetch_one(f"SELECT 1 {MEMBERS} LIMIT 1", (one.task,)):
        raise StoreError(f"task {one.task} cannot end while tasks go in it; settle them before, or all with it")
