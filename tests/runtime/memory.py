"""A store that keeps everything in memory: what the runner asks of an engine, without its promises."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from connector.engine import (
    ENDS,
    LIVE,
    CallRecord,
    Change,
    CommitResult,
    Expense,
    Fenced,
    Filter,
    NewTask,
    PendingLines,
    Settlement,
    StoreError,
    Task,
    TaskState,
)
from connector.model import JSON


class MemoryStore:
    """As connector.engine.Store; `refuse` raises what a broken disk would."""

    def __init__(self, worker: str = "one", wall: Callable[[], float] = time.time) -> None:
        self.worker = worker
        self.wall = wall
        self.kept: dict[int, Task] = {}
        self.holders: dict[int, str] = {}
        self.versions: dict[tuple[str, str], tuple[str, int]] = {}
        self.positions: dict[str, JSON] = {}
        self.small: dict[tuple[str, str], JSON] = {}
        self.changes: list[Change] = []
        self.claims: set[tuple[str, str]] = set()
        self.refuse: Callable[[Change], None] = lambda _: None
        self.leases = 0
        self.backups: list[Path] = []
        self._new = asyncio.Event()

    async def close(self) -> None:
        self.holders.clear()

    async def commit(self, change: Change) -> CommitResult:
        await asyncio.sleep(0)
        self.refuse(change)
        for settled in change.settle:
            if self.holders.get(settled.task) != self.worker:
                raise Fenced(f"task {settled.task} is not leased by {self.worker}")
        self.changes.append(change)
        accepted = [self._accept(new) for new in change.accept]
        for settled in change.settle:
            self._settle(settled)
        for ended in change.end:
            task = self.kept[ended.task]
            calls = tuple(replace(c, state=ended.state, outcome=ended.outcome) for c in task.calls)
            self.kept[ended.task] = replace(task, calls=calls)
        for call in change.intend:
            self._intend(call)
        for name, position in change.cursors.items():
            self.positions[name] = position
        for place, value in change.records.items():
            self.small[place] = value
        self.small = {place: value for place, value in self.small.items() if value is not None}
        self.positions = {name: value for name, value in self.positions.items() if value is not None}
        self._new.set()
        return CommitResult(accepted)

    def _accept(self, new: NewTask) -> int:
        if new.identity:
            known, _ = self.versions.get((new.route, new.key), (None, 0))
            same = known is not None and new.repeats(known)
            self.versions[new.route, new.key] = (known if same else new.version, new.reading)
            if same:
                return 0
        number = len(self.kept) + 1
        state = TaskState.WAITING if new.due else TaskState.NEW
        fields = {name: getattr(new, name) for name in ("route", "document", "key", "version", "order", "due", "trace")}
        now = self.wall()
        self.kept[number] = Task(id=number, state=state, source=new.source, created=now, updated=now, **fields)
        return number

    def _settle(self, settled: Settlement) -> None:
        del self.holders[settled.task]
        task = self.kept[settled.task]
        attempts = task.attempts - settled.uncounted
        self.kept[settled.task] = replace(
            task, state=settled.state, reason=settled.reason, due=settled.due, attempts=attempts, updated=self.wall()
        )

    def _intend(self, call: CallRecord) -> None:
        task = self.kept[call.task]
        self.kept[call.task] = replace(task, calls=(*task.calls, call))

    async def lease(self, route: str, most: int, *, limit: int = 0) -> Sequence[Task]:
        await asyncio.sleep(0)
        self.leases += 1
        found: list[Task] = []
        busy: set[str] = set()
        for task in self.kept.values():
            if task.route != route or task.state in ENDS:
                continue
            if task.order in busy:
                continue
            if task.order:
                busy.add(task.order)
            if task.id in self.holders or task.due > self.wall() or len(found) == most:
                continue
            leased = replace(task, state=TaskState.PROCESSING, attempts=task.attempts + 1)
            found.append(leased)
        for task in found:
            self.kept[task.id] = task
            self.holders[task.id] = self.worker
        return found

    async def lease_task(self, task: int) -> Task | None:
        raise NotImplementedError("a run leases by route")

    async def renew_leases(self, ids: Sequence[int]) -> Sequence[int]:
        return [id_ for id_ in ids if self.holders.get(id_) != self.worker]

    async def wait_for_change(self, seconds: float) -> None:
        self._new.clear()
        await self._new.wait()

    async def next_due(self, route: str) -> float | None:
        waiting = [t.due for t in self.kept.values() if t.route == route and t.state is TaskState.WAITING]
        return min(waiting, default=None)

    async def claim(self, name: str, tick: str) -> bool:
        fresh = (name, tick) not in self.claims
        self.claims.add((name, tick))
        return fresh

    async def lead(self, name: str, seconds: float) -> bool:
        return True

    async def cursor(self, name: str) -> JSON:
        return self.positions.get(name)

    async def cursors(self) -> Mapping[str, JSON]:
        return dict(self.positions)

    async def record(self, space: str, key: str) -> JSON:
        return self.small.get((space, key))

    async def records(self, space: str) -> Mapping[str, JSON]:
        return {key: value for (where, key), value in self.small.items() if where == space}

    async def spending(self, name: str, since: float) -> Expense:
        return Expense(name=name, at=since)

    async def reserved(self, name: str, since: float) -> Expense:
        return Expense(name=name, at=since)

    async def pending_files(self) -> Sequence[str]:
        return []

    async def pending_lines(self, name: str, most: int) -> PendingLines:
        return PendingLines(name, 0, [])

    async def counts(self, route: str = "") -> Mapping[str, Mapping[TaskState, int]]:
        counts: dict[str, dict[TaskState, int]] = {}
        for task in self.kept.values():
            if route in ("", task.route):
                of = counts.setdefault(task.route, {})
                of[task.state] = of.get(task.state, 0) + 1
        return counts

    async def oldest(self, route: str) -> float | None:
        return min((t.created for t in self.kept.values() if t.route == route and t.state in LIVE), default=None)

    def _wanted(self, wanted: Filter) -> list[Task]:
        def fits(task: Task) -> bool:
            return (
                (not wanted.ids or task.id in wanted.ids)
                and wanted.route in ("", task.route)
                and (not wanted.states or task.state in wanted.states)
                and wanted.key in ("", task.key)
                and wanted.reason in task.reason
                and (wanted.updated_before is None or task.updated < wanted.updated_before)
                and (wanted.updated_after is None or task.updated > wanted.updated_after)
            )

        return [task for task in self.kept.values() if fits(task)]

    async def tasks(self, wanted: Filter, *, after: int = 0, limit: int = 100) -> Sequence[Task]:
        return [replace(task, calls=()) for task in self._wanted(wanted) if task.id > after][:limit]

    async def task(self, task: int) -> Task | None:
        return self.kept.get(task)

    async def carried_tasks(self, carrier: int, *, after: int = 0, limit: int = 1000) -> Sequence[Task]:
        return []

    async def vanished_keys(self, route: str, reading: int) -> AsyncGenerator[str, None]:
        for (of, key), (version, seen) in list(self.versions.items()):
            if of == route and seen < reading and version != "deleted":
                yield key

    async def retry(self, wanted: Filter, *, document: JSON = None) -> int:
        found = [task for task in self._wanted(wanted) if task.state in ENDS]
        for task in found:
            given = task.document if document is None else document
            self.kept[task.id] = replace(task, state=TaskState.NEW, document=given, due=0.0, attempts=0)
        return len(found)

    async def hurry(self, wanted: Filter) -> int:
        found = [task for task in self._wanted(wanted) if task.state is TaskState.WAITING]
        for task in found:
            self.kept[task.id] = replace(task, due=0.0)
        return len(found)

    async def skip(self, wanted: Filter, reason: str) -> int:
        found = [task for task in self._wanted(wanted) if task.id not in self.holders]
        for task in found:
            self.kept[task.id] = replace(task, state=TaskState.SKIPPED, reason=reason)
        return len(found)

    async def purge(self, wanted: Filter, *, most: int = 10_000) -> int:
        found = [task for task in self._wanted(wanted) if task.state in ENDS][:most]
        for task in found:
            del self.kept[task.id]
        return len(found)

    async def backup(self, to: Path) -> None:
        if to in self.backups:
            raise StoreError(f"{to} is there already")
        self.backups.append(to)
