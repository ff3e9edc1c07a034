"""`worker`: what other platforms have to be done is done here, each call paid for once."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Exit, Option

from connector.cli.command import group
from connector.cli.exit_codes import ExitCode
from connector.cli.options import Config, Entities, catalogue_folder, configuration_at, open_catalogue
from connector.cli.output import say

if TYPE_CHECKING:
    from connector.config import Configuration
    from connector.hosts.camunda.worker import Worker

__all__ = ["worker"]

worker = group("Workers for other platforms: the jobs of Camunda, the activities of Temporal.")


@worker.callback()
def workers() -> None:
    """Workers for other platforms."""


@worker.command("camunda")
def camunda(
    config: Config = None,
    grace: Annotated[
        float, Option("--grace", min=0, metavar="S", help="Seconds that jobs under way may take when it is stopped.")
    ] = 30.0,
    folder: Entities = None,
) -> None:
    """Work on the jobs of Camunda 8 until a signal: each job's call is made once, however often it is activated."""
    from connector.pipeline import load_configuration

    configuration = load_configuration(configuration_at(config))
    whole = asyncio.run(_work(configuration, grace, catalogue_folder(folder, config)))
    raise Exit(ExitCode.DONE if whole else ExitCode.UNKNOWN)


async def _work(configuration: Configuration, grace: float, folder: Path | None) -> bool:
    from connector.aio.signals import drain_on_signals
    from connector.hosts.camunda.open import open_worker
    from connector.pipeline import Runtime
    from connector.telemetry.logs import configure_logging

    undo = configure_logging(configuration.telemetry.logs, configuration.redactor())
    try:
        catalogue = open_catalogue(configuration, folder)
        async with (
            Runtime(configuration, catalogue=catalogue) as runtime,
            open_worker(runtime, catalogue, say) as opened,
        ):
            with drain_on_signals(lambda _: opened.stop()):
                say(f"working on jobs of type {configuration.camunda.job_type} at {opened.broker.client.base_uri}")
                whole = await opened.run(grace)
            _sum_up(opened)
            return whole
    finally:
        undo()


def _sum_up(opened: Worker) -> None:
    sums = opened.ends
    say(
        f"jobs: {sums['complete']} completed, {sums['throw']} ended with a BPMN error, {sums['fail']} to be activated"
        f" again, {sums['incident']} incidents"
    )


@worker.command("temporal")
def temporal(
    config: Config = None,
    task_queue: Annotated[
        str, Option("--task-queue", metavar="NAME", help="The task queue, in place of temporal.task_queue.")
    ] = "",
    folder: Entities = None,
) -> None:
    """Offer the configuration's connections and operations to Temporal as activities, until a signal."""
    from connector.pipeline import load_configuration

    configuration = load_configuration(configuration_at(config))
    asyncio.run(_serve(configuration, task_queue, catalogue_folder(folder, config)))


async def _serve(configuration: Configuration, task_queue: str, folder: Path | None) -> None:
    from connector.aio.signals import drain_on_signals
    from connector.hosts.temporal.worker import serve
    from connector.telemetry.logs import configure_logging

    undo, stopping = configure_logging(configuration.telemetry.logs, configuration.redactor()), asyncio.Event()
    try:
        with drain_on_signals(lambda _: stopping.set()):
            await serve(configuration, say, stopping, task_queue=task_queue, folder=folder)
    finally:
        undo()
