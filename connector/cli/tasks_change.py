"""`tasks retry`, `tasks skip` and `tasks purge`: tasks changed by hand."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Exit, Option

from connector.cli.exit_codes import ExitCode
from connector.cli.output import print_line, print_text, say, wants_json
from connector.cli.tasks_filter import FilterOptions, build_filter, report_unfit
from connector.errors import ConfigurationError
from connector.model import JSON

if TYPE_CHECKING:
    from connector.config import Configuration
    from connector.engine import Filter, Store, Task

__all__ = ["RetryOptions", "purge", "retry", "skip"]

MAX_LISTED = 10
"""The number of tasks in doubt that are listed one by one."""


@dataclass(frozen=True, kw_only=True)
class RetryOptions(FilterOptions):
    """The options of `tasks retry`."""

    edit: Annotated[
        str | None, Option("--edit", metavar="FILE|-", help="For one task: a document that replaces its own.")
    ] = None
    repeat_unknown: Annotated[
        bool, Option("--repeat-unknown", help="Also retry tasks that may have taken effect, and may be paid for twice.")
    ] = False
    now: Annotated[
        bool,
        Option(
            "--now", help="Deliver the tasks of their routes at once, without reading more, unless a run is active."
        ),
    ] = False


def retry(options: RetryOptions) -> None:
    """Deliver ended tasks again: by id, or all that a filter matches."""
    code = asyncio.run(_retry(options))
    raise Exit(code)


def skip(options: FilterOptions) -> None:
    """End tasks as skipped; send nothing more for them."""
    raise Exit(asyncio.run(_skip(options)))


def purge(options: FilterOptions) -> None:
    """Delete ended tasks with all their calls; those that may have taken effect only with --state."""
    raise Exit(asyncio.run(_purge(options)))


async def _retry(options: RetryOptions) -> int:
    from connector.cli.tasks_filter import open_tasks
    from connector.engine import TaskState
    from connector.runtime.doubt import repeat_unknown
    from connector.runtime.stalls import count_live

    _need_choice(options, "--state failed")
    document = _read_edit(options)
    async with open_tasks(options.config, options.host) as (store, configuration):
        states = (TaskState.FAILED, TaskState.SKIPPED, TaskState.UNKNOWN)
        wanted = await build_filter(options, store, configuration, states)
        unfit = await report_unfit(store, wanted, "it can be retried once it has failed, was skipped or is unknown")
        doubt = TaskState.UNKNOWN in wanted.states
        sure = tuple(state for state in wanted.states if state is not TaskState.UNKNOWN)
        count = await store.retry(replace(wanted, states=sure), document=document) if sure else 0
        left = 0
        if doubt:
            unknown = replace(wanted, states=(TaskState.UNKNOWN,))
            if options.repeat_unknown:
                count += await repeat_unknown(store, unknown, document=document)
            else:
                left = await _report_doubt(store, unknown)
        routes = [route for route, tasks in count_live(await store.counts()).items() if tasks]
    _print_count("retried", count, json=options.json, shown="queued again")
    code = await _deliver(configuration, options, routes) if count else ExitCode.DONE
    return ExitCode.UNKNOWN if left else ExitCode.INVALID if unfit else code


async def _deliver(configuration: Configuration, options: RetryOptions, routes: Sequence[str]) -> int:
    """Deliver what was queued, with --now and if no run is active; else say what will."""
    from connector.cli.run import deliver
    from connector.delivery.route_spec import parent_of
    from connector.engine import StoreHeld

    if options.host:
        say("each is sent when its host asks for it again")
        return ExitCode.DONE
    if not options.now:
        say("the run that is at work delivers them, or the next `run`; `tasks retry --now` delivers at once")
        return ExitCode.DONE
    names = list(dict.fromkeys(name for route in routes if (name := parent_of(route)[0]) in configuration.routes))
    try:
        return await deliver(configuration, names, json=options.json)
    except StoreHeld:
        say("a run is at work: it takes them by itself")
        return ExitCode.DONE


async def _report_doubt(store: Store, unknown: Filter) -> int:
    """Print what to check before tasks that may have taken effect are retried; return their number."""
    from connector.cli.tasks_filter import iterate_tasks

    count = 0
    async with aclosing(iterate_tasks(store, unknown)) as tasks:
        async for task in tasks:
            count += 1
            if count <= MAX_LISTED and (whole := await store.task(task.id)) is not None:
                say(_doubt(whole))
    if count:
        what = "1 task was" if count == 1 else f"{count:,} tasks were"
        say(f"{what} left as unknown: look whether it took effect; --repeat-unknown sends it again all the same")
    return count


def _doubt(task: Task) -> str:
    from datetime import UTC, datetime

    calls = [call for call in task.calls if call.state in ("", "unknown")]
    if not calls:
        return f"task {task.id} of route {task.route}: {task.reason}"
    last = calls[-1]
    at = datetime.fromtimestamp(last.started, UTC).isoformat(timespec="seconds")
    by = f", which would hold {last.lookup!r}" if last.lookup else ""
    return (
        f"task {task.id} of route {task.route}: look in {last.target} for {last.operation} of {at}{by}; {task.reason}"
    )


async def _skip(options: FilterOptions) -> ExitCode:
    from connector.cli.tasks_filter import open_tasks
    from connector.engine import TaskState

    _need_choice(options, "--state waiting")
    live = (TaskState.NEW, TaskState.WAITING, TaskState.FAILED, TaskState.UNKNOWN)
    async with open_tasks(options.config, options.host) as (store, configuration):
        wanted = await build_filter(options, store, configuration, live)
        unfit = await report_unfit(store, wanted, "it can be skipped while it is new or waiting, failed or unknown")
        count = await store.skip(wanted, "skipped by hand")
    _print_count("skipped", count, json=options.json)
    return ExitCode.INVALID if unfit else ExitCode.DONE


async def _purge(options: FilterOptions) -> ExitCode:
    from connector.cli.tasks_filter import open_tasks
    from connector.engine import TaskState

    _need_choice(options, "--older-than 30d")
    count = 0
    async with open_tasks(options.config, options.host) as (store, configuration):
        ended = (TaskState.FINISHED, TaskState.FAILED, TaskState.SKIPPED)
        wanted = await build_filter(options, store, configuration, ended)
        unfit = await report_unfit(store, wanted, "it can be purged once it has ended; one that is unknown by --state")
        while some := await store.purge(wanted):
            count += some
    _print_count("purged", count, json=options.json)
    return ExitCode.INVALID if unfit else ExitCode.DONE


def _need_choice(options: FilterOptions, example: str) -> None:
    if not options.chosen:
        raise ConfigurationError(f"say which tasks: by their ids, or by a filter such as {example}; all is --state all")


def _read_edit(options: RetryOptions) -> JSON:
    from connector.documents import parse

    if options.edit is None:
        return None
    if len(options.ids or ()) != 1:
        raise ConfigurationError("--edit: one id is needed, of the task whose document this is")
    if options.edit == "-":
        return parse(sys.stdin.buffer.read(), where="--edit (standard input)")
    try:
        return parse(Path(options.edit).read_bytes(), where=options.edit)
    except OSError as error:
        raise ConfigurationError(f"--edit: cannot read {options.edit!r}: {error.strerror or error}") from None


def _print_count(what: str, count: int, *, json: bool | None, shown: str = "") -> None:
    if wants_json(json):
        print_line({what: count})
    else:
        print_text(f"{count:,} {'task' if count == 1 else 'tasks'} {shown or what}")
