"""What a transaction works with: statements, the next numbers, how many tasks are in which state."""

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
    """A connection that changes what is kept, one transaction after the other.

    Args:
        epoch: the number of this runner; 0 for those who only look after the tasks of another one.
        clock: seconds since 1970.
    """

    def __init__(self, connection: Connection, epoch: int, clock: Callable[[], float]) -> None:
        self.connection = connection
        self.epoch = epoch
        self.leases = Leases()
        self.now = 0.0
        self.news = False
        self._clock = clock
        self._cursor = connection.cursor()
        self.execute = self._cursor.execute
        self.execute_many = self._cursor.executemany
        self._routes: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._counts: dict[tuple[int, int], int] = {}
        self._given = self._last = (0, 0)

    def begin(self) -> None:
        """Starts a transaction; Superseded when another runner has taken over."""
        self.now = self._clock()
        self.news = False
        self.execute("BEGIN IMMEDIATE")
        self._given = self._last = self.check()

    def check(self) -> tuple[int, int]:
        """The last numbers that were given to a task and to a line; Superseded when another runner has taken over."""
        epoch, task, line = self.one("SELECT epoch, task, line FROM meta")
        if self.epoch not in (0, epoch):
            raise Superseded("another runner has taken over what this one was working on; this one must stop")
        return int(task), int(line)

    def finish(self) -> None:
        """Writes what was only counted so far; all that is left is to commit."""
        if self._last != self._given:
            self.execute("UPDATE meta SET task = ?, line = ?", self._last)
        for (route, state), tasks in self._counts.items():
            if tasks:
                self.execute(COUNT, (route, state, tasks))
        self._counts.clear()

    def commit(self) -> None:
        """All of it is on the disk."""
        self.execute("COMMIT")
        self.leases.keep()

    def undo(self) -> None:
        """None of it was done."""
        if self.connection.in_transaction:
            self.execute("ROLLBACK")
        self._last = self._given
        self.leases.undo()
        self._counts.clear()
        self._routes.clear()
        self._names.clear()

    @property
    def written(self) -> int:
        """Grows with every row that is written."""
        return self.connection.total_changes()

    def all(self, sql: str, values: Values = ()) -> list[Row]:
        """The rows of a question."""
        return self.execute(sql, values).fetchall()

    def one(self, sql: str, values: Sequence[Any] = ()) -> Row:
        """The first row of a question; empty when there is none."""
        rows = self.execute(sql, values).fetchall()
        return rows[0] if rows else ()

    @property
    def last_task(self) -> int:
        """The last id that was given to a task."""
        return self._last[0]

    def new_task(self) -> int:
        """The next task's id, unless it is given back."""
        task, line = self._last
        self._last = (task + 1, line)
        return task + 1

    def give_back(self) -> None:
        """The last id is not needed."""
        task, line = self._last
        self._last = (task - 1, line)

    def new_line(self) -> int:
        """The next line's number."""
        task, line = self._last
        self._last = (task, line + 1)
        return line + 1

    def count(self, route: int, state: TaskState, tasks: int) -> None:
        """So many tasks more are in a state."""
        spot = route, CODES[state]
        self._counts[spot] = self._counts.get(spot, 0) + tasks

    def route(self, name: str) -> int:
        """A route's number, which it has from now on."""
        number = self._routes.get(name)
        if number is None:
            self.execute("INSERT INTO routes (name) VALUES (?) ON CONFLICT DO NOTHING", (name,))
            (number,) = self.one("SELECT id FROM routes WHERE name = ?", (name,))
            self._routes[name] = number = int(number)
            self._names[number] = name
        return number

    def routes(self) -> Sequence[int]:
        """All routes."""
        return [int(number) for (number,) in self.all("SELECT id FROM routes")]


@dataclass(slots=True)
class Lease:
    """What is remembered of a leased task, so that its changes need not be looked up.

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
    """Leased tasks by id; what a transaction did to them can be undone with it."""

    def __init__(self) -> None:
        self._held: dict[int, Lease] = {}
        self._undo: list[tuple[int, Lease | None]] = []

    def __contains__(self, task: int) -> bool:
        return task in self._held

    def __iter__(self) -> Iterator[int]:
        return iter(self._held)

    def get(self, task: int) -> Lease | None:
        return self._held.get(task)

    def of(self, route: int) -> int:
        """How many tasks of a route are leased."""
        return sum(lease.route == route for lease in self._held.values())

    def add(self, task: int, lease: Lease) -> None:
        self._undo.append((task, None))
        self._held[task] = lease

    def drop(self, task: int) -> Lease:
        lease = self._held.pop(task)
        self._undo.append((task, lease))
        return lease

    def keep(self) -> None:
        """What was done stays."""
        self._undo.clear()

    def undo(self) -> None:
        """What was done since the last `keep` was not done."""
        for task, lease in reversed(self._undo):
            if lease is None:
                del self._held[task]
            else:
                self._held[task] = lease
        self._undo.clear()
