"""What a run prints: a progress bar while it lasts, then a summary and an exit code."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from connector.aio.tasks import cancel_all
from connector.cli.exit_codes import ExitCode, of_error, worst
from connector.cli.output import print_line, print_text, say, wants_json
from connector.terminal import escape_controls

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from rich.progress import Progress

    from connector.config import Configuration
    from connector.engine import Store, TaskState
    from connector.model import JSON
    from connector.runtime.completion import RunResult
    from connector.telemetry.observer import Metrics

__all__ = ["exit_code_of", "print_report", "progress_bar", "warn_of_receivers"]

EVERY = 0.25
"""Seconds between two looks."""


@asynccontextmanager
async def progress_bar(
    store: Store, routes: Collection[str], stalls: Callable[[], Sequence[str]], *, once: bool
) -> AsyncGenerator[None]:
    """Show the progress of routes within this context, if standard error is a terminal."""
    if not once or not sys.stderr.isatty():
        yield
        return
    with _bar() as bar:
        watching = asyncio.create_task(_watch(store, routes, stalls, bar))
        try:
            yield
        finally:
            await cancel_all(watching)


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[held]}", markup=False),
        console=Console(stderr=True),
        transient=True,
    )


async def _watch(store: Store, routes: Collection[str], stalls: Callable[[], Sequence[str]], bar: Progress) -> None:
    before = _numbers(await store.counts(), routes)
    task = bar.add_task("tasks", total=None, rate="", held="")
    while True:
        ended, live = _numbers(await store.counts(), routes)
        done = ended - before[0]
        speed = bar.tasks[0].finished_speed or bar.tasks[0].speed
        bar.update(task, completed=done, total=done + live or None, rate=f"{speed:,.0f}/s" if speed else "")
        bar.update(task, held=_stalled(stalls()))
        await asyncio.sleep(EVERY)


def _stalled(stalls: Sequence[str]) -> str:
    """Return what tasks wait for, for the lines below the bar."""
    return "".join(f"\n{escape_controls(stall)}" for stall in stalls)


def _numbers(counts: Mapping[str, Mapping[TaskState, int]], routes: Collection[str]) -> tuple[int, int]:
    """Return how many tasks of the routes have ended, and how many have not."""
    from connector.delivery.route_spec import parent_of
    from connector.engine import ENDS

    mine = [states for route, states in counts.items() if parent_of(route)[0] in routes]
    ended = sum(count for states in mine for state, count in states.items() if state in ENDS)
    return ended, sum(count for states in mine for count in states.values()) - ended


BY_WHO = {"network": ExitCode.NETWORK, "here": ExitCode.BLOCKED}
"""Exit codes of waiting tasks, by who must act."""


def print_report(end: RunResult, metrics: Metrics, *, alone: bool, json: bool | None) -> None:
    """Print the summary as the result, and in sentences what needs attention.

    Args:
        end: how the run ended.
        metrics: the counts of this process.
        alone: whether every task that ended did so in this process.
        json: whether to print JSON; by default unless standard output is a terminal.
    """
    from connector.telemetry.summary import summarize

    found = summarize(metrics, end.seconds, end.stopped)
    if alone:  # exact even for tasks that ended as parts of others
        found = replace(found, routes=end.ended)
    if wants_json(json):
        print_line({**found.as_document(), **_more(end)})
    else:
        print_text(found.text())
    for sentence in _sentences(end):
        say(sentence)


def exit_code_of(end: RunResult) -> ExitCode:
    """Return the exit code of a run that ended by itself."""
    codes = [of_error(error) for error in end.unread.values()]
    codes += [ExitCode.UNKNOWN] if end.count("unknown") else []
    codes += [ExitCode.REFUSED] if end.count("failed") else []
    for route, pause in end.paused.items():
        if end.left.get(route):
            codes.append(BY_WHO.get(pause.who, ExitCode.PAUSED))
    codes += [ExitCode.BLOCKED] if end.unwritten else []
    return worst(codes)


def _more(end: RunResult) -> dict[str, JSON]:
    return {
        "left": dict(end.left),
        "elsewhere": dict(end.elsewhere),
        "paused": {route: pause.reason for route, pause in end.paused.items()},
        "holds": list(end.stalls),
        "unread": {route: str(error) for route, error in end.unread.items()},
        "read": {route: tally.read for route, tally in end.tallies.items()},
    }


def _sentences(end: RunResult) -> list[str]:
    sentences: list[str] = []
    for route, error in end.unread.items():
        sentences.append(f"route {route} was not read to its end: {error}; the next run goes on there")
    for route, count in end.left.items():
        pause = end.paused.get(route)
        why = f"it is paused: {pause.reason}" if pause is not None else "the run was stopped before"
        sentences.append(
            f"{_tasks(count)} of route {route} {'waits' if count == 1 else 'wait'}: {why}; the next run goes on"
        )
    sentences += [stall for stall in end.stalls if not any(stall.startswith(f"route {route}:") for route in end.paused)]
    if end.unwritten:
        sentences.append(f"{end.unwritten}; the next run writes them")
    for route, count in end.elsewhere.items():
        sentences.append(
            f"{_tasks(count)} of route {route} {'waits' if count == 1 else 'wait'}: {_elsewhere(route, end)}"
        )
    if failed := end.count("failed"):
        sentences.append(f"{_tasks(failed)} failed; `openai-connector tasks list --state failed` tells why")
    if unknown := end.count("unknown"):
        sentences.append(
            f"{_tasks(unknown)} may have taken effect without a known end; look before they are retried: "
            "`openai-connector tasks list --state unknown`"
        )
    return sentences


def _elsewhere(route: str, end: RunResult) -> str:
    if route not in end.gone:
        return "this run did not deliver it"
    return f"the configuration has no such route any more; put it back, or end them with `tasks skip --route {route}`"


def _tasks(count: int) -> str:
    return "1 task" if count == 1 else f"{count:,} tasks"


def warn_of_receivers(configuration: Configuration, routes: Collection[str]) -> None:
    """Say which connections receive nothing because this process does not listen for them."""
    from connector.subscribers.received_kinds import RECEIVING

    for name in dict.fromkeys(configuration.routes[route].incoming for route in routes):
        incoming = configuration.incoming[name]
        if incoming.subscriber.prototype in RECEIVING and not incoming.disabled:
            say(f"incoming.{name} receives nothing here: serve --routes listens; what came before is delivered")
