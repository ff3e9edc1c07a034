"""`subscribe`: the documents of an incoming connection, or the entities of a list."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from typer import Exit, Option

from connector.cli.call_options import CallOptions, check_connection, check_entity
from connector.cli.connections import (
    Errors,
    call_operation,
    drain_on_interrupt,
    exit_code_of,
    find_configuration,
    open_runtime,
    read_lines,
)
from connector.cli.exit_codes import ExitCode
from connector.cli.explain import EXPLAINED, explain_connection
from connector.cli.options import check_output
from connector.cli.output import picker, print_line, progress, say
from connector.model import JSON

if TYPE_CHECKING:
    from connector.config import Configuration

__all__ = ["SubscribeOptions", "subscribe"]

SUBSCRIBED = ("--config", "--debug", "--documents", "--entities", "--errors", "--limit", "--log-level", "--select")


@dataclass(frozen=True, kw_only=True)
class SubscribeOptions(CallOptions):
    """The options of `subscribe`."""

    decided: ClassVar[Mapping[str, str]] = {"--all": "subscribe"}
    errors: Errors = None
    documents: Annotated[
        Path | None,
        Option(
            "--documents",
            metavar="FILE|-",
            help="With a connection: read documents from a file instead of its subscriber.",
        ),
    ] = None


def subscribe(options: SubscribeOptions) -> None:
    """Print the documents of an incoming connection, or every entity of a list."""
    configuration = find_configuration(options.config, "incoming", options.entity)
    if configuration is None:
        check_entity(options, ("--errors", "--documents"))
        call_operation(options, ("incoming",))
        return
    check_output(options)
    check_connection(options, "incoming", (*EXPLAINED["incoming"], "--dry-run") if options.dry_run else SUBSCRIBED)
    if options.dry_run:
        raise Exit(explain_connection(configuration, "incoming", options))
    raise Exit(asyncio.run(_subscribe(configuration, options)))


async def _subscribe(configuration: Configuration, options: SubscribeOptions) -> int:
    from connector.pipeline import ErrorsFile, IncomingRun

    pick = picker(options.select)
    errors = ErrorsFile(options.errors)

    def tell(document: JSON, state: str, reason: str) -> None:
        if state != "skipped":
            say(f"{state}: {reason}")
            errors.write(document, state, reason)

    instead = read_lines(options.documents, errors) if options.documents is not None else None
    async with open_runtime(configuration, options.logs, options.entities) as runtime:
        run = IncomingRun(runtime, options.entity or "", tell=tell)
        try:
            with drain_on_interrupt(run.stop), progress() as bar:
                task = bar.add_task(options.entity or "", total=options.limit)
                async with aclosing(run.documents(limit=options.limit, instead=instead)) as documents:
                    async for document in documents:
                        print_line(pick(document))
                        bar.update(task, completed=run.counts.read)
        finally:
            errors.close()
            say(run.counts.sentence())
    codes = [ExitCode.UNKNOWN] if run.counts.unknown else []
    return exit_code_of(run.counts, [*codes, pick.ended(ExitCode.INVALID if run.counts.failed else ExitCode.DONE)])
