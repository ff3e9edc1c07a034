"""`transform`: the documents of standard input, sent through a chain."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Exit, Option

from connector.cli.arguments import read_document
from connector.cli.connections import Errors
from connector.cli.exit_codes import ExitCode
from connector.cli.options import Config, LogOptions, Logs, configuration_here, open_catalogue
from connector.cli.output import flush, line_writer, print_line, progress, say, say_what_is_awaited
from connector.model import JSON

if TYPE_CHECKING:
    from connector.pipeline import Counts, ErrorsFile, Runtime
    from connector.transform import Chain, Context, TraceEntry

__all__ = ["TransformOptions", "transform"]


@dataclass(frozen=True, kw_only=True)
class TransformOptions(LogOptions):
    """The options of `transform`."""

    chain: Annotated[str, Argument(metavar="CHAIN", help="The name of a saved chain, or steps as JSON or @FILE.")]
    config: Config = None
    explain: Annotated[bool, Option("--explain", help="Show on standard error what each step did.")] = False
    errors: Errors = None


def transform(options: TransformOptions) -> None:
    """Send the documents of standard input through a chain."""
    say_what_is_awaited()
    raise Exit(asyncio.run(_transform(options)))


async def _transform(options: TransformOptions) -> ExitCode:
    from connector.pipeline import Counts, ErrorsFile

    counts, errors = Counts(), ErrorsFile(options.errors)
    async with _runtime(options.config, options.logs) as runtime:
        chain = runtime.chain(_steps(options.chain), "chain")
        context = _context(runtime, counts, errors)
        try:
            with options.logs.written(runtime.redact):
                await _run(chain, context, counts, errors, explain=options.explain)
        finally:
            errors.close()
            counts.done = counts.read - counts.skipped - counts.failed
            say(counts.sentence())
    return ExitCode.INVALID if counts.failed else ExitCode.DONE


async def _run(chain: Chain, context: Context, counts: Counts, errors: ErrorsFile, *, explain: bool) -> None:
    if explain:
        await _explained(chain, context, counts, errors)
    elif chain.awaits:
        await _waited(chain, context, counts, errors)
    else:
        _straight(chain, context, counts, errors)


def _runtime(source: Path | None, logs: Logs) -> Runtime:
    from connector.config import parse
    from connector.pipeline import Runtime, load_configuration

    found = source or configuration_here()
    logs.check()
    configuration = load_configuration(found) if found is not None else parse({})
    return Runtime(configuration, parameters=logs.parameters, catalogue=open_catalogue(configuration))


def _steps(chain: str) -> JSON:
    if chain.startswith(("[", "{", "@")):
        return read_document(chain, "CHAIN")
    return chain


def _context(runtime: Runtime, counts: Counts, errors: ErrorsFile) -> Context:
    def skipped(_: JSON, reason: str) -> None:
        counts.skipped += 1
        say(f"skipped: {reason}")

    def failed(document: JSON, error: Exception) -> None:
        _lost(document, runtime.redact(str(error)), counts, errors)

    return replace(runtime.chained, on_skip=skipped, on_failed=failed)


def _lost(document: JSON, reason: str, counts: Counts, errors: ErrorsFile) -> None:
    counts.failed += 1
    say(f"failed: {reason}")
    errors.write(document, "failed", reason)


def _read(counts: Counts, errors: ErrorsFile) -> Iterator[JSON]:
    """The documents of standard input; what was made of a block is written before the next one is waited for."""
    from connector.formats import UnreadableDocument, take_documents
    from connector.formats.jsonl import read_jsonl
    from connector.pipeline import revive

    for block in take_documents(read_jsonl(sys.stdin.buffer, "standard input", 64 * 1024**2)):
        for item in block:
            counts.read += 1
            if isinstance(item, UnreadableDocument):
                _lost(item.document, item.reason, counts, errors)
            else:
                yield revive(item).document
        flush()


def _straight(chain: Chain, context: Context, counts: Counts, errors: ErrorsFile) -> None:
    """For chains in which nothing waits, as fast as they go."""
    write = line_writer()
    for document in chain.run(_read(counts, errors), context):
        write(document)
    flush()


async def _waited(chain: Chain, context: Context, counts: Counts, errors: ErrorsFile) -> None:
    with progress() as bar:
        task = bar.add_task("documents", total=None)
        async for document in chain.arun(_read(counts, errors), context):
            print_line(document)
            bar.update(task, completed=counts.read)


async def _explained(chain: Chain, context: Context, counts: Counts, errors: ErrorsFile) -> None:
    """Each document by itself, with what every step made of it."""
    from connector.transform.cases import diff

    for document in _read(counts, errors):
        say(f"document {counts.read}")
        trace: list[TraceEntry] = []
        made = [each async for each in chain.arun((document,), context, trace=trace)]
        for step in trace:
            if step.note:
                say(f"  {step.where} {step.step}: {step.note}")
                continue
            changed = diff(step.before, step.after)
            say(f"  {step.where} {step.step}{'' if changed else ': nothing changed'}")
            for line in changed.splitlines()[2:]:
                say(f"    {line}")
        for each in made:
            print_line(each)
