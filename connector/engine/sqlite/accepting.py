"""Documents become tasks, each once."""

from __future__ import annotations

from collections.abc import Sequence

from connector.engine.change import Carried
from connector.engine.sqlite.codes import CODES, DUE, HELD, READY
from connector.engine.sqlite.driver import Row
from connector.engine.sqlite.ordering import take_turns
from connector.engine.sqlite.session import Session
from connector.engine.tasks import DELETED, NewTask, TaskState

__all__ = ["accept", "start"]

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


def start(session: Session, carrieds: Sequence[Carried], documents: Sequence[bytes]) -> Sequence[int]:
    """The ids of the tasks that carry others; these are never duplicates, whatever their keys."""
    rows = _Rows(session)
    numbers: list[int] = []
    for carried, document in zip(carrieds, documents, strict=True):
        numbers.append(session.new_task())
        route = session.route(carried.carrier.route)
        rows.add(numbers[-1], route, carried.carrier, document, len(carried.members))
    rows.write()
    return numbers
