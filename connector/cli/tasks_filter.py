"""Which tasks a command means: the options, the filter that they describe, and the store that is searched."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from connector.cli.options import Config, Json, configuration_at
from connector.cli.output import say
from connector.errors import ConfigurationError, UnknownName
from connector.suggestions import closest

if TYPE_CHECKING:
    from connector.config import Configuration
    from connector.engine import Filter, Store, Task, TaskState

__all__ = [
    "Camunda",
    "FilterOptions",
    "HostOptions",
    "Mcp",
    "Temporal",
    "build_filter",
    "iterate_tasks",
    "open_tasks",
    "parse_states",
    "report_unfit",
]

ALL = "all"
STATES = "Only tasks in this state: new, processing, waiting, finished, failed, skipped, unknown; or all."


Camunda = Annotated[
    bool, Option("--camunda", help="The calls of Camunda's jobs, in camunda.engine, instead of the tasks of routes.")
]
Mcp = Annotated[bool, Option("--mcp", help="The calls of MCP clients, in mcp.engine, instead of the tasks of routes.")]
Temporal = Annotated[
    bool,
    Option(
        "--temporal", help="The calls of Temporal's activities, in temporal.engine, instead of the tasks of routes."
    ),
]
MAKERS = {
    "": "`run`",
    "mcp": "`openai-connector mcp`",
    "camunda": "`worker camunda`",
    "temporal": "`worker temporal`",
}
"""What makes the store of each host, and that of the routes."""


@dataclass(frozen=True, kw_only=True)
class HostOptions:
    """The options that say whose tasks are meant: a host's calls, or those of routes."""

    mcp: Mcp = False
    camunda: Camunda = False
    temporal: Temporal = False

    @property
    def host(self) -> str:
        """The host whose calls are meant; empty for the tasks of routes."""
        named = [name for name in MAKERS if name and getattr(self, name)]
        if len(named) > 1:
            raise ConfigurationError(f"--{named[0]} and --{named[1]} are two places: leave one of them out")
        return named[0] if named else ""


@dataclass(frozen=True, kw_only=True)
class FilterOptions(HostOptions):
    """The options that select tasks; a task must match all of them."""

    ids: Annotated[list[int] | None, Argument(metavar="ID", help="The ids of tasks.")] = None
    config: Config = None
    route: Annotated[str, Option("--route", metavar="ROUTE", help="Only tasks of this route.")] = ""
    state: Annotated[list[str] | None, Option("--state", metavar="STATE", help=STATES)] = None
    key: Annotated[str, Option("--key", metavar="KEY", help="Only tasks of a document with this key.")] = ""
    reason: Annotated[str, Option("--reason", metavar="TEXT", help="Only tasks whose reason contains this text.")] = ""
    older_than: Annotated[
        str | None, Option("--older-than", metavar="AGE", help="Only tasks unchanged for this time: 30s, 15m, 6h, 30d.")
    ] = None
    newer_than: Annotated[
        str | None, Option("--newer-than", metavar="AGE", help="Only tasks changed within this time.")
    ] = None
    json: Json = None

    @property
    def chosen(self) -> bool:
        """Whether any option selects tasks."""
        given = (self.ids, self.route, self.state, self.key, self.reason, self.older_than, self.newer_than)
        return any(value for value in given)


async def build_filter(
    options: FilterOptions, store: Store, configuration: Configuration, states: Iterable[TaskState]
) -> Filter:
    """Return the filter of the options; raise UnknownName for an unknown route or state.

    Args:
        states: the states unless the options give some.
    """
    from connector.engine import Filter

    if options.route:
        known = {*configuration.routes, *await store.counts()}
        if options.route not in known:
            suggestions = closest(options.route, known)
            raise UnknownName("route", options.route, suggestions, f"there are {', '.join(sorted(known))}")
    return Filter(
        ids=options.ids or (),
        route=options.route,
        states=parse_states(options.state, states),
        key=options.key,
        reason=options.reason,
        updated_before=_ago(options.older_than, "--older-than"),
        updated_after=_ago(options.newer_than, "--newer-than"),
    )


async def report_unfit(store: Store, wanted: Filter, can: str) -> int:
    """Report each task given by id that does not exist or has the wrong state; return their number.

    Args:
        can: when the command accepts a task, for the sentence about one that it does not.
    """
    unfit = 0
    for number in wanted.ids:
        task = await store.task(number)
        if task is None:
            say(f"there is no task {number}; `tasks list --state {ALL}` shows those there are")
        elif wanted.states and task.state not in wanted.states:
            say(f"task {number} is {task.state.value}; {can}")
        else:
            continue
        unfit += 1
    return unfit


def parse_states(names: Sequence[str] | None, default: Iterable[TaskState]) -> tuple[TaskState, ...]:
    """Return the states of these names."""
    from connector.engine import TaskState

    if not names:
        return tuple(default)
    known = {state.value: state for state in TaskState}
    for name in names:
        if name not in known and name != ALL:
            raise UnknownName("state", name, closest(name, known), f"there are {', '.join(known)}, and {ALL}")
    return tuple(known.values()) if ALL in names else tuple(known[name] for name in names)


def _ago(age: str | None, option: str) -> float | None:
    from connector.config.models.measures import parse_duration

    if age is None:
        return None
    try:
        return time.time() - float(parse_duration(age))
    except ValueError as error:
        raise ConfigurationError(f"{option} {age!r}: {error}") from None


SQLITE = "sqlite:///"
PAGE = 500


@asynccontextmanager
async def open_tasks(config: Path | None, host: str = "") -> AsyncGenerator[tuple[Store, Configuration]]:
    """Open the store of a configuration; create nothing if there was no run.

    Args:
        host: whose calls are meant; the tasks of routes unless given.
    """
    from connector.engine import open_store
    from connector.pipeline import load_configuration

    configuration = load_configuration(configuration_at(config))
    url: str | None = getattr(configuration, f"{host}_engine_url" if host else "engine_url")
    if url is None:
        raise ConfigurationError("mcp.engine: none is named, so calls are kept only while the MCP server runs")
    _check_there(url, MAKERS[host])
    store = await open_store(url, role="admin")
    try:
        yield store, configuration
    finally:
        await store.close()


def _check_there(url: str, maker: str) -> None:
    path = Path(url.removeprefix(SQLITE))
    if url.startswith(SQLITE) and not path.exists():
        raise ConfigurationError(f"there are no tasks yet: {str(path)!r} is not there; {maker} makes it")


async def iterate_tasks(
    store: Store, wanted: Filter, *, after: int = 0, limit: int | None = None
) -> AsyncGenerator[Task]:
    """Yield the tasks of a filter in the order of their ids, page by page."""
    left = limit
    while left is None or left > 0:
        size = PAGE if left is None else min(PAGE, left)
        page = await store.tasks(wanted, after=after, limit=size)
        for task in page:
            yield task
        if len(page) < size:
            return
        after, left = page[-1].id, None if left is None else left - len(page)
