"""`tasks` and `backup`: the tasks of a configuration, shown and changed while a run may use them."""

from __future__ import annotations

import asyncio
import shutil
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from typer import Argument

from connector.cli.command import command, group
from connector.cli.options import Config, Json, open_catalogue
from connector.cli.output import print_document, print_text, say, wants_json
from connector.cli.tasks_change import RetryOptions, purge, retry, skip
from connector.cli.tasks_done import DoneOptions, done
from connector.cli.tasks_filter import Camunda, FilterOptions, HostOptions, Mcp, Temporal
from connector.cli.tasks_list import ListOptions, export, list_tasks
from connector.documents import dump
from connector.errors import ConfigurationError
from connector.model import JSON, is_document, is_list

__all__ = ["backup", "render_task", "show", "tasks"]

tasks = group("The tasks of routes: list, show, retry, skip, done, export, purge.")
MOST_CHARACTERS = 600
"""Characters of a document in the text; JSON holds all of it."""
LABEL = 10


def show(
    task: Annotated[int, Argument(metavar="ID", help="The id of the task.")],
    config: Config = None,
    mcp: Mcp = False,
    camunda: Camunda = False,
    temporal: Temporal = False,
    json: Json = None,
) -> None:
    """Show one task: every attempt and call, and its document before and after each chain."""
    found = asyncio.run(_load(task, config, HostOptions(mcp=mcp, camunda=camunda, temporal=temporal).host))
    if wants_json(json):
        print_document(found)
    else:
        print_text(render_task(found, shutil.get_terminal_size().columns))


async def _load(number: int, config: Path | None, host: str) -> dict[str, JSON]:
    from connector.cli.tasks_filter import open_tasks
    from connector.pipeline import Runtime
    from connector.runtime.task_report import report_task

    async with open_tasks(config, host) as (store, configuration):
        task = await store.task(number)
        if task is None:
            raise ConfigurationError(f"there is no task {number}; `tasks list --state all` shows those there are")
        async with Runtime(configuration, catalogue=open_catalogue(configuration)) as runtime:
            return await report_task(runtime, task)


def render_task(task: dict[str, JSON], width: int = 80) -> str:
    """Return a task as text for people."""
    lines = [
        f"task {task['id']} of route {task['route']}: {task['state']}",
        *_fields(task, ("reason", "key", "version", "order", "attempts", "created", "updated", "due", "carrier")),
        *_document("document", task["document"]),
        *_render_effect(task["becomes"]),
    ]
    for call in task["calls"]:
        lines += ["", f"call {call['call']} of attempt {call['attempt']}: {call['operation']}, {call['state']}"]
        lines += _fields(call, ("target", "effect", "lookup", "started", "seconds"))
        lines += _document("request", call["request"])
        lines += _document("outcome", call["outcome"])
        lines += ["  made before this task was retried by hand"] if call.get("before_a_retry_by_hand") else []
    if not task["calls"]:
        lines += ["", "no call was made"]
    return "\n".join(part for line in lines for part in _wrap(line, width))


def _fields(values: dict[str, JSON], names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        if values.get(name) not in (None, "", 0):
            yield f"  {name:<{LABEL}}{values[name]}"


def _document(name: str, value: JSON) -> Iterator[str]:
    if value is None:
        return
    text = dump(value).decode()
    rest = f" and {len(text) - MOST_CHARACTERS:,} characters more, with --json" if len(text) > MOST_CHARACTERS else ""
    yield f"  {name:<{LABEL}}{text[:MOST_CHARACTERS]}{rest}"


def _render_effect(becomes: JSON) -> Iterator[str]:
    """Yield what the chains make of the document, as far as it is known."""
    if isinstance(becomes, str):
        yield f"  {'becomes':<{LABEL}}{becomes}"
    if not is_document(becomes):
        return
    for document in becomes.get("after_route_chain") or ():
        yield from _document("becomes", document)
    for request in becomes.get("requests") or ():
        for each in request if is_list(request) else [request]:
            yield from _document("sends", each)
    if becomes.get("fails"):
        yield f"  {'fails':<{LABEL}}{becomes['fails']}"


def _wrap(line: str, width: int) -> list[str]:
    indent = " " * (len(line) - len(line.lstrip()) + LABEL) if line.startswith("  ") else "  "
    return textwrap.wrap(line, width, subsequent_indent=indent, break_on_hyphens=False) or [""]


def backup(
    to: Annotated[Path, Argument(metavar="TO", help="The file for the copy; it must not exist yet.")],
    config: Config = None,
) -> None:
    """Copy all tasks and positions to a consistent file, even during a run."""
    asyncio.run(_backup(to, config))
    say(f"everything is in {to}; `engine: sqlite:///{to}` would go on from there")


async def _backup(to: Path, config: Path | None) -> None:
    from connector.cli.tasks_filter import open_tasks

    async with open_tasks(config) as (store, _):
        await store.backup(to)


tasks.command("list")(command(list_tasks, ListOptions))
tasks.command("show")(show)
tasks.command("retry")(command(retry, RetryOptions))
tasks.command("skip")(command(skip, FilterOptions))
tasks.command("done")(command(done, DoneOptions))
tasks.command("export")(command(export, FilterOptions))
tasks.command("purge")(command(purge, FilterOptions))
