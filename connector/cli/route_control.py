"""`route pause`, `route resume` and `route run`: what a run is told while it works, or before it begins."""

from __future__ import annotations

import asyncio
import getpass
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from connector.cli.options import Config
from connector.cli.output import say
from connector.errors import ConfigurationError

if TYPE_CHECKING:
    from connector.config import Configuration
    from connector.engine import Store
    from connector.model import JSON

__all__ = ["pause", "resume", "run_now"]

Name = Annotated[str, Argument(metavar="NAME", help="The name of the route.")]


def pause(
    name: Name,
    reason: Annotated[str, Option("--reason", metavar="TEXT", help="Why; everybody who looks sees it.")] = "",
    config: Config = None,
) -> None:
    """Pause a route in every run, also in those that begin later; tasks under way come to their end."""
    asyncio.run(_pause(name, reason, config))


def resume(name: Name, config: Config = None) -> None:
    """Resume a route that was paused by hand."""
    asyncio.run(_resume(name, config))


def run_now(name: Name, config: Config = None) -> None:
    """Let the run that is at work, or the next one, read a route now."""
    asyncio.run(_run_now(name, config))


async def _pause(name: str, reason: str, config: Path | None) -> None:
    from connector.cli.tasks_filter import open_tasks
    from connector.runtime.route_control import pause_record

    async with open_tasks(config) as (store, configuration):
        configuration.find("routes", name)
        await _commit(store, pause_record(name, reason, _who(), time.time()))
    say(f"route {name} is paused; `openai-connector route resume {name}` ends that")


async def _resume(name: str, config: Path | None) -> None:
    from connector.cli.tasks_filter import open_tasks
    from connector.runtime.route_control import read_pauses, resume_record

    async with open_tasks(config) as (store, configuration):
        paused = await read_pauses(store)
        if name not in paused:
            configuration.find("routes", name)
            say(f"route {name} is not paused by hand")
            return
        await _commit(store, resume_record(name))
    say(f"route {name} goes on")


async def _run_now(name: str, config: Path | None) -> None:
    from connector.cli.tasks_filter import open_tasks
    from connector.runtime.route_control import read_runners, run_record

    async with open_tasks(config) as (store, configuration):
        _check_read(configuration, name)
        await _commit(store, run_record(name, _who(), time.time()))
        is_running = bool(await read_runners(store, time.time()))
    say(f"route {name} is read {'now' if is_running else 'as soon as there is a run: openai-connector run'}")


async def _commit(store: Store, records: Mapping[tuple[str, str], JSON]) -> None:
    from connector.engine import Change

    await store.commit(Change(records=records))


def _check_read(configuration: Configuration, name: str) -> None:
    from connector.runtime.plan import source_of

    configuration.find("routes", name)
    source = source_of(configuration, name)
    if source is not None:
        raise ConfigurationError(f"route {name!r} reads the answers of route {source!r}: run that one")


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # nobody has this user id
        return ""
