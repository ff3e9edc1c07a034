"""`tasks list`, `tasks export`: what became of documents."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from typer import Exit, Option

from connector.cli.exit_codes import ExitCode
from connector.cli.output import print_line, print_table, say, wants_json
from connector.cli.tasks_wanted import WantedOptions, count_unfit, filter_of
from connector.model import JSON

if TYPE_CHECKING:
    from connector.engine import Task

__all__ = ["ListOptions", "export", "list_tasks"]

SOME = 100
SHOWN = 120
"""Characters of a reason on a terminal."""


@dataclass(frozen=True, kw_only=True)
class ListOptions(WantedOptions):
    """What `tasks list` can be told."""

    after: Annotated[int, Option("--after", min=0, metavar="ID", help="Those with ids beyond this one.")] = 0
    limit: Annotated[int, Option("--limit", min=1, metavar="N", help="At most so many.")] = SOME


def list_tasks(options: ListOptions) -> None:
    """List tasks: those that failed, were skipped, or may have taken effect, unless others are asked for."""
    raise Exit(ExitCode.INVALID if asyncio.run(_list(options)) else ExitCode.DONE)


def export(options: WantedOptions) -> None:
    """Write tasks as JSON lines that `publish` and a file subscriber take again."""
    raise Exit(ExitCode.INVALID if asyncio.run(_export(options)) else ExitCode.DONE)


async def _list(options: ListOptions) -> int:
    """Prints the tasks; how many that were named are not there."""
    from connector.cli.tasks_store import each, opened
    from connector.engine import TaskState

    bad = (TaskState.FAILED, TaskState.SKIPPED, TaskState.UNKNOWN)
    async with opened(options.config) as (store, configuration):
        wanted = await filter_of(options, store, configuration, () if options.ids else bad)
        unfit = await count_unfit(store, replace(wanted, states=()), "")
        async with aclosing(each(store, wanted, after=options.after, limit=options.limit)) as tasks:
            found = [task async for task in tasks]
    if wants_json(options.json):
        for task in found:
            print_line(_summary(task))
    else:
        columns = ("id", "route", "state", "attempts", "age", "key", "reason")
        print_table(columns, (_row(task) for task in found))
    if len(found) == options.limit:
        say(f"there may be more: --after {found[-1].id} goes on")
    return unfit


async def _export(options: WantedOptions) -> int:
    """Prints the tasks as lines; how many that were named are not there."""
    from connector.cli.tasks_store import each, opened
    from connector.engine import TaskState
    from connector.routes.running.telling import exported

    count = 0
    async with opened(options.config) as (store, configuration):
        states = () if options.ids else (TaskState.FAILED, TaskState.UNKNOWN)
        wanted = await filter_of(options, store, configuration, states)
        unfit = await count_unfit(store, replace(wanted, states=()), "")
        async with aclosing(each(store, wanted)) as tasks:
            async for task in tasks:
                whole = await store.task(task.id)
                if whole is not None:
                    print_line(exported(whole))
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
        "reason": task.reason,
        "document": task.document,
    }


def _row(task: Task) -> tuple[str, ...]:
    reason = " ".join(task.reason.split())
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
