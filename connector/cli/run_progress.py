"""A bar that shows how far a run is: tasks that came to an end of those there are, the pace, and the time left."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from connector.terminal import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from rich.progress import Progress

    from connector.engine import Store, TaskState
    from connector.runtime.holding import Hold

__all__ = ["shown"]

EVERY = 0.25
"""Seconds between two looks."""


@asynccontextmanager
async def shown(
    store: Store, routes: Collection[str], holds: Callable[[], Sequence[Hold]], *, once: bool
) -> AsyncGenerator[None]:
    """Shows the progress of these routes while it is open; nothing where standard error is no terminal."""
    if not once or not sys.stderr.isatty():
        yield
        return
    with _bar() as bar:
        watching = asyncio.create_task(_watch(store, routes, holds, bar))
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)


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


async def _watch(store: Store, routes: Collection[str], holds: Callable[[], Sequence[Hold]], bar: Progress) -> None:
    before = _numbers(await store.counts(), routes)
    task = bar.add_task("tasks", total=None, rate="", held="")
    while True:
        ended, live = _numbers(await store.counts(), routes)
        done = ended - before[0]
        speed = bar.tasks[0].finished_speed or bar.tasks[0].speed
        bar.update(task, completed=done, total=done + live or None, rate=f"{speed:,.0f}/s" if speed else "")
        bar.update(task, held=_held(holds()))
        await asyncio.sleep(EVERY)


def _held(holds: Sequence[Hold]) -> str:
    """What tasks wait for, in the lines below the bar."""
    from connector.runtime.holding import sentence

    return "".join(f"\n{visible(sentence(hold))}" for hold in holds)


def _numbers(counts: Mapping[str, Mapping[TaskState, int]], routes: Collection[str]) -> tuple[int, int]:
    """How many tasks of the routes have come to an end, and how many have not."""
    from connector.engine import ENDS
    from connector.routes.delivering.declared import parent_of

    mine = [states for route, states in counts.items() if parent_of(route)[0] in routes]
    ended = sum(count for states in mine for state, count in states.items() if state in ENDS)
    return ended, sum(count for states in mine for count in states.values()) - ended
