"""`tasks list`, `tasks show`, `tasks export`: what became of documents."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from connector.cli.config import Config
from connector.cli.output import print_document, print_line, print_table, say, wants_json
from connector.cli.tasks_wanted import WantedOptions
from connector.errors import ConfigurationError
from connector.model import JSON

if TYPE_CHECKING:
    from connector.engine import Task

__all__ = ["ListOptions", "export", "list_tasks", "show"]

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
    asyncio.run(_list(options))


def show(
    task: Annotated[int, Argument(metavar="ID", help="The task.")],
    config: Config = None,
) -> None:
    """Show one task: every attempt and call, its document as it came and after each chain."""
    asyncio.run(_show(task, config))


def export(options: WantedOptions) -> None:
    """Write tasks as JSON lines that `publish` and a file subscriber take again."""
    asyncio.run(_export(options))


async def _list(options: ListOptions) -> None:
    from connector.cli.tasks_store import each, opened
    from connector.cli.tasks_wanted import filter_of
    from connector.engine import TaskState

    bad = (TaskState.FAILED, TaskState.SKIPPED, TaskState.UNKNOWN)
    async with opened(options.config) as (store, configuration):
        wanted = await filter_of(options, store, configuration, () if options.ids else bad)
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


async def _show(number: int, config: Path | None) -> None:
    from connector.cli.tasks_store import opened
    from connector.connections import Runtime
    from connector.routes.running.telling import told

    async with opened(config) as (store, configuration):
        task = await store.task(number)
        if task is None:
            raise ConfigurationError(f"there is no task {number}; `tasks list --state all` shows those there are")
        async with Runtime(configuration) as runtime:
            print_document(await told(runtime, task))


async def _export(options: WantedOptions) -> None:
    from connector.cli.tasks_store import each, opened
    from connector.cli.tasks_wanted import filter_of
    from connector.engine import TaskState
    from connector.routes.running.telling import exported

    count = 0
    async with opened(options.config) as (store, configuration):
        states = () if options.ids else (TaskState.FAILED, TaskState.UNKNOWN)
        wanted = await filter_of(options, store, configuration, states)
        async with aclosing(each(store, wanted)) as tasks:
            async for task in tasks:
                whole = await store.task(task.id)
                if whole is not None:
                    print_line(exported(whole))
                    count += 1
    say(f"{count:,} tasks exported")


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
