"""Documents become tasks, each once."""

from __future__ import annotations

from collections.abc import Sequence

from connector.engine.change import Carrier, Settlement
from connector.engine.sqlite.driver import Row
from connector.engine.sqlite.queue import Hands, take_turns
from connector.engine.sqlite.rows import CARRIED, CODES, DUE, HELD, NOWHERE, READY
from connector.engine.sqlite.session import Session
from connector.engine.store import StoreError
from connector.engine.tasks import DELETED, ENDS, NewTask, TaskState

__all__ = ["accept", "carry", "end_members", "settle", "start"]

TASK = (
    "INSERT INTO tasks (id, route, state, queue, due, attempts, updated, reason, ord, carrier, members)"
    " VALUES (?, ?, ?, ?, ?, 0, ?, '', ?, 0, ?)"
)
DOCUMENT = "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?)"
# The key's task is this one afterwards, unless it was seen before: then only its reading is newer.
KEY = (
    "INSERT INTO keys VALUES (?, ?, ?, ?, ?) ON CONFLICT (route, key) DO UPDATE SET"
    " reading = max(reading, excluded.reading), version = iif({seen}, version, excluded.version),"
    " task = iif({seen}, task, excluded.task) RETURNING task"
)
BY_VERSION = KEY.format(seen="version = excluded.version")
BY_KEY = KEY.format(
    seen=f"(version <> '{DELETED}' AND substr(version, 1, length(excluded.version)) = excluded.version)"
)


class _Rows:
    """Tasks that are about to be written."""

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
        self._session.count(route, state, 1)
        if order:
            self._orders.add((route, order))

    def write(self) -> None:
        if self._tasks:
            self._session.execute_many(TASK, self._tasks)
            self._session.execute_many(DOCUMENT, self._documents)
            self._session.news = True
            take_turns(self._session, self._orders)


def accept(session: Session, tasks: Sequence[NewTask], documents: Sequence[bytes]) -> Sequence[int]:
    """The ids of the new tasks; 0 for a document that was seen."""
    rows = _Rows(session)
    accepted: list[int] = []
    for task, document in zip(tasks, documents, strict=True):
        route, number = session.route(task.route), session.new_task()
        if task.identity and _holder(session, route, task, number) != number:
            session.give_back()
            number = 0
        else:
            rows.add(number, route, task, document)
        accepted.append(number)
    rows.write()
    return accepted


def _holder(session: Session, route: int, task: NewTask, number: int) -> int:
    """The task that a key stands for: this one, or the one that it was seen with."""
    sql = BY_KEY if task.unique == "key" else BY_VERSION
    return int(session.one(sql, (route, task.identity, task.version, task.reading, number))[0])


def start(session: Session, carrieds: Sequence[Carrier], documents: Sequence[bytes]) -> Sequence[int]:
    """The ids of the tasks that carry others; these are never duplicates, whatever their keys."""
    rows = _Rows(session)
    numbers: list[int] = []
    for carried, document in zip(carrieds, documents, strict=True):
        numbers.append(session.new_task())
        route = session.route(carried.carrier.route)
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


def settle(session: Session, settled: Sequence[Settlement], hands: Hands) -> None:
    """What the settled tasks are from now on; they are leased no longer."""
    rows: list[Row] = []
    if len({one.task for one in settled}) < len(settled):
        raise StoreError("a task is settled twice in one change; nothing was done")
    for one in settled:
        lease = hands[one.task]
        leased = one.task in session.leases
        session.count(lease.route, TaskState.PROCESSING if leased else TaskState.WAITING, -1)
        session.count(lease.route, one.state, 1)
        rows.append(_row(session, one))
        if leased:
            session.leases.drop(one.task)
    session.execute_many(SETTLE, rows)
    for one in settled:
        if hands[one.task].members:
            _carrier_ended(session, one)
    take_turns(session, {(hands[one.task].route, order) for one in settled if (order := hands[one.task].order)})


def carry(session: Session, carried: Sequence[Carrier], carriers: Sequence[int], hands: Hands) -> None:
    """The members wait in their carriers; they are leased no longer."""
    for one, carrier in zip(carried, carriers, strict=True):
        for member in one.members:
            session.count(hands[member].route, TaskState.PROCESSING, -1)
            session.count(hands[member].route, TaskState.WAITING, 1)
            session.leases.drop(member)
        session.execute_many(CARRY, [(carrier, session.now, member) for member in one.members])


def end_members(session: Session, carrier: int, state: TaskState, reason: str) -> None:
    """All that still wait in a carrier come to the same end."""
    routes = session.all(f"SELECT route, count(*) {MEMBERS} GROUP BY route", (carrier,))
    orders = session.all(f"SELECT DISTINCT route, ord {MEMBERS} AND ord IS NOT NULL", (carrier,))
    session.execute(END_MEMBERS, (CODES[state], session.now, reason, carrier))
    for route, members in routes:
        session.count(route, TaskState.WAITING, -members)
        session.count(route, state, members)
    take_turns(session, orders)


def _row(session: Session, one: Settlement) -> Row:
    ended = one.state in ENDS
    if one.state is TaskState.PROCESSING:
        raise StoreError(f"task {one.task} cannot be settled as processing; it can end, wait or be new")
    queue = NOWHERE if ended else DUE if one.due > 0 else READY
    if not ended:
        session.news = True
    return CODES[one.state], queue, one.due, one.uncounted, session.now, one.reason, ended, one.task


def _carrier_ended(session: Session, one: Settlement) -> None:
    if one.carried and one.state in ENDS:
        end_members(session, one.task, one.state, one.reason)
    elif one.carried:
        raise StoreError(f"task {one.task} does not end as {one.state}, so those that go in it cannot end with it")
    elif one.state in ENDS and session.one(f"SELECT 1 {MEMBERS} LIMIT 1", (one.task,)):
        raise StoreError(f"task {one.task} cannot end while tasks go in it; settle them before, or all with it")
