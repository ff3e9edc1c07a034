"""A transaction's state: statements, the next ids, counts by state, and the leases of this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from connector.engine.sqlite.driver import Connection, Row, Values
from connector.engine.sqlite.rows import CODES
from connector.engine.store import Superseded
from connector.engine.tasks import TaskState

__all__ = ["Lease", "Leases", "Session"]

COUNT = "INSERT INTO counts VALUES (?, ?, ?) ON CONFLICT (route, state) DO UPDATE SET tasks = tasks + excluded.tasks"


class Session:
    """A connection that writes, one transaction after the other.

    Args:
        epoch: the number of this runner; 0 for those who only look after the tasks of another one.
        clock: seconds since 1970.
    """

    def __init__(self, connection: Connection, epoch: int, clock: Callable[[], float]) -> None:
        self.connection = connection
        self.epoch = epoch
        self.leases = Leases()
        self.now = 0.0
        self.has_news = False
        self._clock = clock
        self._cursor = connection.cursor()
        self.execute = self._cursor.execute
        self.execute_many = self._cursor.executemany
        self._routes: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._counts: dict[tuple[int, int], int] = {}
        self._committed = self._last = (0, 0)

    def begin(self) -> None:
        """Begin a transaction; raise Superseded when another runner has taken over."""
        self.now = self._clock()
        self.has_news = False
        self.execute("BEGIN IMMEDIATE")
        self._committed = self._last = self.check_epoch()

    def check_epoch(self) -> tuple[int, int]:
        """Return the last task id and line number; raise Superseded when another runner has taken over."""
        epoch, task, line = self.fetch_one("SELECT epoch, task, line FROM meta")
        if self.epoch not in (0, epoch):
            raise Superseded("another runner has taken over what this one was working on; this one must stop")
        return int(task), int(line)

    def flush(self) -> None:
        """Write the counts and ids that were kept in memory; what is left is to commit."""
        if self._last != self._committed:
            self.execute("UPDATE meta SET task = ?, line = ?", self._last)
        for (route, state), tasks in self._counts.items():
            if tasks:
                self.execute(COUNT, (route, state, tasks))
        self._counts.clear()

    def commit(self) -> None:
        """Commit the transaction; it is on disk when this returns."""
        self.execute("COMMIT")
        self.leases.commit()

    def roll_back(self) -> None:
        """Roll the transaction back."""
        if self.connection.in_transaction:
            self.execute("ROLLBACK")
        self._last = self._committed
        self.leases.roll_back()
        self._counts.clear()
        self._routes.clear()
        self._names.clear()

    @property
    def rows_written(self) -> int:
        """Return the number of rows written so far."""
        return self.connection.total_changes()

    def fetch_all(self, sql: str, values: Values = ()) -> list[Row]:
        """Return the rows of a query."""
        return self.execute(sql, values).fetchall()

    def fetch_one(self, sql: str, values: Sequence[Any] = ()) -> Row:
        """Return the first row of a query; an empty one when there is none."""
        rows = self.execute(sql, values).fetchall()
        return rows[0] if rows else ()

    @property
    def last_task(self) -> int:
        """Return the last task id."""
        return self._last[0]

    def next_task_id(self) -> int:
        """Return the next task id."""
        task, line = self._last
        self._last = (task + 1, line)
        return task + 1

    def return_task_id(self) -> None:
        """Return the last task id to the pool: the task is a duplicate."""
        task, line = self._last
        self._last = (task - 1, line)

    def next_line_number(self) -> int:
        """Return the next line number."""
        task, line = self._last
        self._last = (task, line + 1)
        return line + 1

    def add_to_count(self, route: int, state: TaskState, tasks: int) -> None:
        """Change the number of tasks in a state."""
        spot = route, CODES[state]
        self._counts[spot] = self._counts.get(spot, 0) + tasks

    def route_id(self, name: str) -> int:
        """Return a route's id; a new route gets one."""
        number = self._routes.get(name)
        if number is None:
            self.execute("INSERT INTO routes (name) VALUES (?) ON CONFLICT DO NOTHING", (name,))
            (number,) = self.fetch_one("SELECT id FROM routes WHERE name = ?", (name,))
            self._routes[name] = number = int(number)
            self._names[number] = name
        return number

    def route_ids(self) -> Sequence[int]:
        """Return the ids of all routes."""
        return [int(number) for (number,) in self.fetch_all("SELECT id FROM routes")]


@dataclass(slots=True)
class Lease:
    """What is remembered of a leased task, so that changes need not look it up.

    Attributes:
        route: its number.
        order: its order key.
        members: how many tasks it carries.
        made: how many calls were made for it.
        calls: the places of its calls by attempt and number, the newest of each.
    """

    route: int
    order: str | None
    members: int
    made: int = 0
    calls: dict[tuple[int, int], int] = field(default_factory=dict[tuple[int, int], int])


class Leases:
    """Leases by task id; a transaction that is rolled back takes its changes of them back."""

    def __init__(self) -> None:
        self._held: dict[int, Lease] = {}
        self._undo: list[tuple[int, Lease | None]] = []

    def __contains__(self, task: int) -> bool:
        return task in self._held

    def __iter__(self) -> Iterator[int]:
        return iter(self._held)

    def get(self, task: int) -> Lease | None:
        return self._held.get(task)

    def count_of(self, route: int) -> int:
        """Return how many tasks of a route are leased."""
        return sum(lease.route == route for lease in self._held.values())

    def add(self, task: int, lease: Lease) -> None:
        self._undo.append((task, None))
        self._held[task] = lease

    def drop(self, task: int) -> Lease:
        lease = self._held.pop(task)
        self._undo.append((task, lease))
        return lease

    def commit(self) -> None:
        """Keep the changes since the last transaction."""
        self._undo.clear()

    def roll_back(self) -> None:
        """Undo the changes since the last `commit`."""
        for task, lease in reversed(self._undo):
            if lease is None:
                del self._held[task]
            else:
                self._held[task] = lease
        self._undo.clear()
