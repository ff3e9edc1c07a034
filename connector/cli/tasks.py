"""`tasks` and `backup`: looking after what was accepted, while a run may be at work."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

from typer import Argument

from connector.cli.config import Config
from connector.cli.group import group
from connector.cli.options import command
from connector.cli.output import say
from connector.cli.tasks_change import RetryOptions, purge, retry, skip
from connector.cli.tasks_list import ListOptions, export, list_tasks
from connector.cli.tasks_show import show
from connector.cli.tasks_wanted import WantedOptions

__all__ = ["backup", "tasks"]

tasks = group("What became of documents, and what is done about it.")
tasks.command("list")(command(list_tasks, ListOptions))
tasks.command("show")(show)
tasks.command("retry")(command(retry, RetryOptions))
tasks.command("skip")(command(skip, WantedOptions))
tasks.command("export")(command(export, WantedOptions))
tasks.command("purge")(command(purge, WantedOptions))


def backup(
    to: Annotated[Path, Argument(metavar="TO", help="The file that the copy goes to; it must not be there yet.")],
    config: Config = None,
) -> None:
    """Copy all tasks and positions to a file that is whole, while a run may be at work."""
    asyncio.run(_backup(to, config))
    say(f"everything is in {to}; `engine: sqlite:///{to}` would go on from there")


async def _backup(to: Path, config: Path | None) -> None:
    from connector.cli.tasks_store import opened

    async with opened(config) as (store, _):
        await store.backup(to)
