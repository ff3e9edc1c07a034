"""`tasks list` and `tasks export`."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from typer import Exit, Option

from connector.cli.exit_codes import ExitCode
from connector.cli.output import print_line, print_table, say, wants_json
from connector.cli.tasks_filter import FilterOptions, build_filter, report_unfit
from connector.model import JSON

if TYPE_CHECKING:
    from connector.engine import Filter, Store, Task, TaskState
    from connector.runtime.stalls import Counts

__all__ = ["ListOptions", "export", "list_tasks"]

SOME = 100
SHOWN = 120
"""Characters of a reason in the table."""


@dataclass(frozen=True, kw_only=True)
class ListOptions(FilterOptions):
    """The options of `tasks list`."""

    all: Annotated[bool, Option("--all", help="Also list finished tasks.")] = False
    after: Annotated[int, Option("--after", min=0, metavar="ID", help="Only tasks with ids above this one.")] = 0
    limit: Annotated[int, Option("--limit", min=1, metavar="N", help="The largest number of tasks to list.")] = SOME


def list_tasks(options: ListOptions) -> None:
    """List tasks that are not finished, with what they wait for, or those that a filter selects."""
    raise Exit(ExitCode.INVALID if asyncio.run(_list(options)) else ExitCode.DONE)


def export(options: FilterOptions) -> None:
    """Write tasks as JSON lines, which `publish` and a file subscriber can read."""
    raise Exit(ExitCode.INVALID if asyncio.run(_export(options)) else ExitCode.DONE)


async def _list(options: ListOptions) -> int:
    """Print the tasks; return how many of the given ids do not exist."""
    from connector.cli.tasks_filter import open_tasks
    from connector.engine import TaskState
    from connector.runtime.stalls import STALLS, describe_stall, read_stalls

    whole = options.all or bool(options.ids)
    async with open_tasks(options.config, options.host) as (store, configuration):
        wanted = await build_filter(options, store, configuration, tuple(TaskState) if whole else unfinished())
        unfit = await report_unfit(store, replace(wanted, states=()), "")
        narrowed = (options.state, options.after, options.key, options.reason, options.older_than, options.newer_than)
        grouped = not whole and not any(narrowed)
        found = await _found(store, wanted, options, grouped=grouped)
        counts = await store.counts(options.route)
        stalls = read_stalls(await store.records(STALLS))
    if wants_json(options.json):
        for task in found:
            print_line(_summary(task))
    else:
        columns = ("id", "route", "state", "attempts", "age", "key", "reason")
        print_table(columns, (_row(task) for task in found))
    for stall in stalls:
        if options.route in ("", stall.route) and counts.get(stall.route):
            say(describe_stall(stall))
    _say_rest(found, counts, options, grouped=grouped)
    return unfit


def unfinished() -> tuple[TaskState, ...]:
    """Return the states of unfinished tasks, the most urgent first."""
    from connector.engine import TaskState

    ends = (TaskState.FAILED, TaskState.UNKNOWN, TaskState.SKIPPED)
    return (*ends, TaskState.WAITING, TaskState.PROCESSING, TaskState.NEW)


async def _found(store: Store, wanted: Filter, options: ListOptions, *, grouped: bool) -> list[Task]:
    """Return a page of tasks: by id, or grouped with failed ones first, then waiting ones, then others."""
    from connector.cli.tasks_filter import iterate_tasks

    found: list[Task] = []
    groups = [wanted.states[:3], *((state,) for state in wanted.states[3:])] if grouped else [wanted.states]
    for states in groups:
        if left := options.limit - len(found):
            some = replace(wanted, states=states)
            async with aclosing(iterate_tasks(store, some, after=options.after, limit=left)) as tasks:
                found += [task async for task in tasks]
    return found


def _say_rest(found: Sequence[Task], counts: Counts, options: ListOptions, *, grouped: bool) -> None:
    """Print how many tasks are not listed, by state."""
    if not grouped:
        if len(found) == options.limit:
            say(f"there may be more: --after {found[-1].id} goes on")
        return
    total: Counter[str] = Counter()
    for states in counts.values():
        total.update({state.value: count for state, count in states.items()})
    total.subtract(task.state.value for task in found)
    rest = ", ".join(f"{count:,} {state}" for state, count in total.items() if count > 0)
    if rest:
        say(f"… {rest}; --all shows them, --limit more of them")


async def _export(options: FilterOptions) -> int:
    """Print the tasks as JSON lines; return how many of the given ids do not exist."""
    from connector.cli.tasks_filter import iterate_tasks, open_tasks
    from connector.engine import TaskState
    from connector.runtime.task_report import export_task

    count = 0
    async with open_tasks(options.config, options.host) as (store, configuration):
        states = () if options.ids else (TaskState.FAILED, TaskState.UNKNOWN)
        wanted = await build_filter(options, store, configuration, states)
        unfit = await report_unfit(store, replace(wanted, states=()), "")
        async with aclosing(iterate_tasks(store, wanted)) as tasks:
            async for task in tasks:
                whole = await store.task(task.id)
                if whole is not None:
                    print_line(export_task(whole))
                    count += 1
    say(f"{count:,} tasks exported")
    return unfit


def _summary(task: Task) -> dict[str, JSON]:
    return {
        "id": task.id,
        "route": task.route,
        "state": task.state.value,
        "attempts": task.attempts,
        "key": task.key,
        "created": _moment(task.created),
        "updated": _moment(task.updated),
        "due": _moment(task.due) if task.due else None,
        "reason": task.reason,
        "document": task.document,
    }


def _row(task: Task) -> tuple[str, ...]:
    due = f"next try in {_age(task.due - time.time())}: " if task.due > time.time() else ""
    reason = due + " ".join(task.reason.split())
    shown = reason if len(reason) <= SHOWN else f"{reason[:SHOWN]}…"
    age = _age(time.time() - task.updated)
    return (str(task.id), task.route, task.state.value, str(task.attempts), age, task.key, shown)


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _age(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f}{unit}"
    return f"{max(seconds, 0):.0f}s"
