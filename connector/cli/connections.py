"""Configured connections as commands use them: found by name, opened, fed from a file, stopped by a signal."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from typer import Option

from connector.cli.call import call
from connector.cli.call_options import CallOptions
from connector.cli.exit_codes import ExitCode, worst
from connector.cli.options import Logs, configuration_here, open_catalogue
from connector.cli.output import say
from connector.errors import ConnectorError, UnknownName
from connector.model import JSON
from connector.suggestions import closest

if TYPE_CHECKING:
    from connector.config import Configuration
    from connector.pipeline import Counts, ErrorsFile, Runtime

__all__ = [
    "Errors",
    "call_operation",
    "drain_on_interrupt",
    "exit_code_of",
    "find_configuration",
    "open_runtime",
    "read_lines",
]

INTERRUPTED = 130

Errors = Annotated[
    Path | None,
    Option(
        "--errors", metavar="FILE", help="Write failed documents with their reasons to a file that can be read again."
    ),
]


def find_configuration(source: Path | None, section: str, name: str | None) -> Configuration | None:
    """Return the configuration if it declares the name; faults count only in one that was named by -f."""
    from connector.pipeline import load_configuration

    path = source or configuration_here()
    if name is None or path is None:
        return None
    try:
        configuration = load_configuration(path)
        configuration.find(section, name)
    except UnknownName:
        return None
    except ConnectorError:
        if source is not None:
            raise
        return None
    return configuration


def call_operation(options: CallOptions, sections: tuple[str, ...]) -> None:
    """Call the operation of that name; an error about an unknown name suggests connections as well."""
    try:
        call(options)
    except UnknownName as error:
        if error.kind != "entity" or len(options.words or ()) > 1:
            raise
        declared = _declared(options.config, sections)
        meant = (*closest(error.name, declared), *error.suggestions)
        hint = f"connections: {', '.join(declared)}" if declared else "no connection is configured"
        raise UnknownName("entity or connection", error.name, meant, hint) from None


def _declared(source: Path | None, sections: tuple[str, ...]) -> list[str]:
    """Return the names of the configured connections."""
    from connector.pipeline import load_configuration

    path = source or configuration_here()
    try:
        configuration = None if path is None else load_configuration(path)
    except ConnectorError:
        return []
    return [name for section in sections for name in getattr(configuration, section, ())]


@asynccontextmanager
async def open_runtime(configuration: Configuration, logs: Logs, folder: Path | None) -> AsyncGenerator[Runtime]:
    """Open the configuration's runtime, whose calls are logged as the options and the clients say."""
    from connector.pipeline import Runtime

    logs.check()
    catalogue = open_catalogue(configuration, folder)
    mode: Literal["json", "text"] = "json" if configuration.telemetry.logs == "json" else "text"
    async with Runtime(configuration, parameters=logs.parameters, catalogue=catalogue) as runtime:
        with logs.written(runtime.redact, mode=mode):
            yield runtime


async def read_lines(path: Path, errors: ErrorsFile, codes: set[ExitCode] | None = None) -> AsyncGenerator[JSON, None]:
    """Yield the documents of a file or of standard input; a line that is not JSON counts as failed."""
    from connector import subscribers

    def lost(found: subscribers.UnreadableDocument) -> None:
        say(f"failed: {found.reason}")
        errors.write(found.document, "failed", found.reason)
        if codes is not None:
            codes.add(ExitCode.INVALID)

    kind = subscribers.prototypes().find("file")
    # A file that is named on the command line may lie anywhere.
    given = {"url": str(path) if str(path) == "-" else os.path.abspath(path), "format": "jsonl"}  # noqa: ASYNC240, PTH100  no disk is touched
    reader = kind.build(kind.parameters.model_validate(given))
    async with aclosing(reader.documents(subscribers.Context(on_unreadable=lost))) as documents:
        async for document in documents:
            yield document


@contextmanager
def drain_on_interrupt(stop: Callable[[str], None]) -> Generator[None]:
    """Finish the work in progress after a first interrupt; let a second one cancel it."""
    import signal

    from connector.aio.signals import handle_signals

    def drain(_: signal.Signals) -> None:
        say("stopping: what is under way comes to its end; interrupt again to break off")
        stop("interrupted")

    with handle_signals(drain, None, (signal.SIGINT,)):
        yield


def exit_code_of(counts: Counts, codes: set[ExitCode] | list[ExitCode]) -> int:
    """Return the exit code of a command that handled these documents."""
    return INTERRUPTED if counts.stopped == "interrupted" else worst(codes)
