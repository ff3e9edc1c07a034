"""`publish`: the documents of standard input, sent through an outgoing connection."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Exit, Option

from connector.cli.connections import (
    Errors,
    drain_on_interrupt,
    exit_code_of,
    open_runtime,
    read_lines,
)
from connector.cli.exit_codes import ExitCode, of_outcome, worst
from connector.cli.options import Config, Entities, LogOptions, configuration_at
from connector.cli.output import picker, print_line, progress, say, say_what_is_awaited, shown
from connector.model import JSON

if TYPE_CHECKING:
    from connector.config import Configuration
    from connector.pipeline import Counts, ErrorsFile, Result

__all__ = ["PublishOptions", "publish"]

MAX_PRINTED = 100
"""The number of failures that are printed one by one."""


@dataclass(frozen=True, kw_only=True)
class PublishOptions(LogOptions):
    """The options of `publish`."""

    name: Annotated[
        str, Argument(metavar="OUTGOING", help="An outgoing connection; its documents are read from standard input.")
    ]
    config: Config = None
    concurrency: Annotated[
        int | None, Option("--concurrency", min=1, metavar="N", help="The number of documents in progress at a time.")
    ] = None
    errors: Errors = None
    entities: Entities = None
    select: Annotated[
        str | None, Option("--select", metavar="JMESPATH", help="Print only what this expression selects.")
    ] = None
    repeat_unknown: Annotated[
        bool, Option("--repeat-unknown", help="Send again what may have taken effect, and may be paid for twice.")
    ] = False


def publish(options: PublishOptions) -> None:
    """Send the documents of standard input through an outgoing connection."""
    from connector.pipeline import load_configuration

    configuration = load_configuration(configuration_at(options.config))
    configuration.find("outgoing", options.name)
    say_what_is_awaited()
    raise Exit(asyncio.run(_publish(configuration, options)))


async def _publish(configuration: Configuration, options: PublishOptions) -> int:
    from connector.pipeline import ErrorsFile, OutgoingRun

    pick = picker(options.select)
    errors = ErrorsFile(options.errors)
    codes: set[ExitCode] = set()
    async with open_runtime(configuration, options.logs, options.entities) as runtime:
        run = OutgoingRun(runtime, options.name, concurrency=options.concurrency, repeat_unknown=options.repeat_unknown)
        try:
            with drain_on_interrupt(run.stop), progress() as bar:
                task = bar.add_task(options.name, total=None)
                async with aclosing(run.results(read_lines(Path("-"), errors, codes))) as results:
                    async for result in results:
                        codes.add(_code(result))
                        _report(result, errors, run.counts)
                        for line in _printed(result, answers=run.answers):
                            print_line(pick(line))
                        bar.update(task, completed=run.counts.read)
                        if runtime.paused and not errors.wanted:
                            run.stop(f"a client is paused: {runtime.paused.reason}")
        finally:
            errors.close()
            say(run.counts.sentence())
            if run.kept:
                say(f"the run broke off; what was written so far is in {', '.join(run.kept)}")
    return exit_code_of(run.counts, [pick.ended(worst(codes))])


def _code(result: Result) -> ExitCode:
    if result.state in ("done", "skipped"):
        return ExitCode.DONE
    if result.state == "unknown":
        return ExitCode.UNKNOWN
    ended = next((outcome for outcome in result.outcomes if not outcome.ok), None)
    return of_outcome(ended) if ended is not None else ExitCode.INVALID


def _report(result: Result, errors: ErrorsFile, counts: Counts) -> None:
    if result.state in ("done", "skipped"):
        return
    ended = next((outcome for outcome in result.outcomes if not outcome.ok), None)
    reason = result.reason or (ended.sentence() if ended is not None else "")
    failures = counts.failed + counts.unknown
    if failures <= MAX_PRINTED:
        say(f"{result.state}: document {', '.join(str(item.number) for item in result.items)}: {reason}")
    elif failures - len(result.items) <= MAX_PRINTED:
        say("more documents failed; --errors FILE keeps them all")
    for item in result.items:
        errors.write(item.given.document, result.state, reason, result.kept)


def _printed(result: Result, *, answers: bool) -> Iterator[JSON]:
    """Yield what to print: the answers, if the connection does nothing with them, else the outcomes."""
    if answers:
        yield from result.answers
        return
    for outcome in result.outcomes:
        yield {"document": result.items[0].number, **shown(outcome)}
