"""`subscribe`, `publish`, `explain`, `transform`, `test`: what a configuration declares, run from the command line."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from typer import Argument, Exit, Option

from connector.cli.arguments import read_document
from connector.cli.call import CallOptions, call
from connector.cli.combinations import check_connection, check_entity, check_output
from connector.cli.exit_codes import ExitCode, of_outcome, worst
from connector.cli.logs import LogOptions, Logs
from connector.cli.options import Entities, catalogue_folder
from connector.cli.output import picker, print_document, print_line, progress, say, say_what_is_awaited, shown
from connector.cli.source import Config, configuration_at, configuration_here
from connector.errors import ConnectorError, UnknownName
from connector.model import JSON
from connector.offline import nothing_is_sent
from connector.suggest import closest

if TYPE_CHECKING:
    from connector.config import Configuration
    from connector.connections import Counts, ErrorsFile, Result, Runtime

__all__ = [
    "ExplainOptions",
    "PublishOptions",
    "SubscribeOptions",
    "explain",
    "publish",
    "subscribe",
]

INTERRUPTED = 130
SUBSCRIBED = ("--config", "--debug", "--documents", "--entities", "--errors", "--limit", "--log-level", "--select")
EXPLAINED = {
    "incoming": ("--config", "--entities", "--select"),
    "outgoing": ("--config", "--document", "--entities", "--select"),
}
"""The options that a connection looks at."""
MOST_TOLD = 100
"""So many failures are told one by one."""

Errors = Annotated[
    Path | None, Option("--errors", metavar="FILE", help="Failed documents with their reasons, fit to be read again.")
]


@dataclass(frozen=True, kw_only=True)
class SubscribeOptions(CallOptions):
    """What `subscribe` can be told."""

    decided: ClassVar[Mapping[str, str]] = {"--all": "subscribe"}
    errors: Errors = None
    documents: Annotated[
        Path | None,
        Option("--documents", metavar="FILE|-", help="With a connection: documents in place of the subscriber's."),
    ] = None


@dataclass(frozen=True, kw_only=True)
class ExplainOptions(CallOptions):
    """What `explain` can be told."""

    decided: ClassVar[Mapping[str, str]] = {"--dry-run": "explain"}
    given: Annotated[
        str | None, Option("--document", metavar="JSON|@FILE|-", help="With an outgoing connection: a document for it.")
    ] = None


@dataclass(frozen=True, kw_only=True)
class PublishOptions(LogOptions):
    """What `publish` can be told."""

    name: Annotated[str, Argument(metavar="OUTGOING", help="An outgoing connection; its documents come from stdin.")]
    config: Config = None
    concurrency: Annotated[
        int | None, Option("--concurrency", min=1, metavar="N", help="Documents under way at a time.")
    ] = None
    errors: Errors = None
    entities: Entities = None
    select: Annotated[str | None, Option("--select", metavar="JMESPATH", help="Print only what this picks.")] = None
    repeat_unknown: Annotated[
        bool, Option("--repeat-unknown", help="Send again what may have taken effect, and may be paid twice.")
    ] = False


def subscribe(options: SubscribeOptions) -> None:
    """Print what an incoming connection gives, or every entity of a list."""
    configuration = _configuration(options.config, "incoming", options.entity)
    if configuration is None:
        check_entity(options, ("--errors", "--documents"))
        _call_entity(options, ("incoming",))
        return
    check_output(options)
    check_connection(options, "incoming", (*EXPLAINED["incoming"], "--dry-run") if options.dry_run else SUBSCRIBED)
    if options.dry_run:
        raise Exit(_explained(configuration, "incoming", options))
    raise Exit(asyncio.run(_subscribe(configuration, options)))


def publish(options: PublishOptions) -> None:
    """Send the documents of standard input through an outgoing connection."""
    from connector.connections import load_configuration

    configuration = load_configuration(configuration_at(options.config))
    configuration.find("outgoing", options.name)
    say_what_is_awaited()
    raise Exit(asyncio.run(_publish(configuration, options)))


def explain(options: ExplainOptions) -> None:
    """Show the exact request that a call or a connection would send, and send nothing."""
    kind = "outgoing" if options.given is not None else "incoming"
    other = "incoming" if kind == "outgoing" else "outgoing"
    for section in (kind, other):
        configuration = _configuration(options.config, section, options.entity)
        if configuration is not None:
            check_connection(options, section, EXPLAINED[section])
            raise Exit(_explained(configuration, section, options))
    check_entity(options, ("--document",))
    _call_entity(options, ("incoming", "outgoing"))


def _call_entity(options: CallOptions, sections: tuple[str, ...]) -> None:
    """The operation of that name; an unknown one may have been meant for a connection."""
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
    """The names of the connections that are configured."""
    from connector.connections import load_configuration

    path = source or configuration_here()
    try:
        configuration = None if path is None else load_configuration(path)
    except ConnectorError:
        return []
    return [name for section in sections for name in getattr(configuration, section, ())]


def _configuration(source: Path | None, section: str, name: str | None) -> Configuration | None:
    """The configuration when it declares the name; one that was not asked for by -f may be without it."""
    from connector.connections import load_configuration

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


@asynccontextmanager
async def _at_work(configuration: Configuration, logs: Logs, folder: Path | None) -> AsyncGenerator[Runtime]:
    """The configuration at work, its calls logged as the options and the clients say."""
    from connector.catalogue import Catalogue
    from connector.connections import Runtime

    logs.check()
    catalogue = Catalogue.open(catalogue_folder(folder))
    mode: Literal["json", "text"] = "json" if configuration.telemetry.logs == "json" else "text"
    async with Runtime(configuration, parameters=logs.parameters, catalogue=catalogue) as runtime:
        with logs.written(runtime.redact, mode=mode):
            yield runtime


async def _subscribe(configuration: Configuration, options: SubscribeOptions) -> int:
    from connector.connections import ErrorsFile, IncomingRun

    pick = picker(options.select)
    errors = ErrorsFile(options.errors)

    def tell(document: JSON, state: str, reason: str) -> None:
        if state == "failed":
            say(f"failed: {reason}")
            errors.write(document, state, reason)

    instead = _lines(options.documents, errors) if options.documents is not None else None
    async with _at_work(configuration, options.logs, options.entities) as runtime:
        run = IncomingRun(runtime, options.entity or "", tell=tell)
        try:
            with _draining(run.stop), progress() as bar:
                task = bar.add_task(options.entity or "", total=options.limit)
                async with aclosing(run.documents(limit=options.limit, instead=instead)) as documents:
                    async for document in documents:
                        print_line(pick(document))
                        bar.update(task, completed=run.counts.read)
        finally:
            errors.close()
            say(run.counts.sentence())
    return _ended(run.counts, [pick.ended(ExitCode.INVALID if run.counts.failed else ExitCode.DONE)])


async def _publish(configuration: Configuration, options: PublishOptions) -> int:
    from connector.connections import ErrorsFile, OutgoingRun

    pick = picker(options.select)
    errors = ErrorsFile(options.errors)
    codes: set[ExitCode] = set()
    async with _at_work(configuration, options.logs, options.entities) as runtime:
        run = OutgoingRun(runtime, options.name, concurrency=options.concurrency, repeat_unknown=options.repeat_unknown)
        try:
            with _draining(run.stop), progress() as bar:
                task = bar.add_task(options.name, total=None)
                async with aclosing(run.results(_lines(Path("-"), errors, codes))) as results:
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
    return _ended(run.counts, [pick.ended(worst(codes))])


def _explained(configuration: Configuration, section: str, options: CallOptions) -> ExitCode:
    with nothing_is_sent():
        return asyncio.run(_explain(configuration, section, options))


async def _explain(configuration: Configuration, section: str, options: CallOptions) -> ExitCode:
    from connector.catalogue import Catalogue
    from connector.connections import Runtime, explain_incoming, explain_outgoing

    name, pick = options.entity or "", picker(options.select)
    async with Runtime(configuration, catalogue=Catalogue.open(options.folder())) as runtime:
        if section == "incoming":
            print_document(pick(await explain_incoming(runtime, name)))
        else:
            given = getattr(options, "given", None)
            document: JSON = {} if given is None else read_document(given, "--document")
            print_document(pick(await explain_outgoing(runtime, name, document)))
    return pick.ended(ExitCode.DONE)


async def _lines(path: Path, errors: ErrorsFile, codes: set[ExitCode] | None = None) -> AsyncGenerator[JSON, None]:
    """The documents of a file or of standard input; a line that is none is a failed one."""
    from connector import subscribers

    def lost(found: subscribers.Lost) -> None:
        say(f"failed: {found.reason}")
        errors.write(found.document, "failed", found.reason)
        if codes is not None:
            codes.add(ExitCode.INVALID)

    kind = subscribers.prototypes().find("file")
    # What is named on the command line may lie anywhere.
    given = {"url": str(path) if str(path) == "-" else os.path.abspath(path), "format": "jsonl"}  # noqa: ASYNC240, PTH100  no disk is touched
    reader = kind.build(kind.parameters.model_validate(given))
    async with aclosing(reader.documents(subscribers.Context(lost=lost))) as documents:
        async for document in documents:
            yield document


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
    told = counts.failed + counts.unknown
    if told <= MOST_TOLD:
        say(f"{result.state}: document {', '.join(str(item.number) for item in result.items)}: {reason}")
    elif told - len(result.items) <= MOST_TOLD:
        say("more documents failed; --errors FILE keeps them all")
    for item in result.items:
        errors.write(item.given.document, result.state, reason, result.kept)


def _printed(result: Result, *, answers: bool) -> Iterator[JSON]:
    """What nobody else takes: the answers of a connection that says nothing about them, or what came of them."""
    if answers:
        yield from result.answers
        return
    for outcome in result.outcomes:
        yield {"document": result.items[0].number, **shown(outcome)}


def _ended(counts: Counts, codes: set[ExitCode] | list[ExitCode]) -> int:
    return INTERRUPTED if counts.stopped == "interrupted" else worst(codes)


@contextmanager
def _draining(stop: Callable[[str], None]) -> Generator[None]:
    """The first interrupt lets what is under way come to its end; the second one breaks off."""
    import signal

    loop = asyncio.get_running_loop()

    def interrupted() -> None:
        say("stopping: what is under way comes to its end; interrupt again to break off")
        stop("interrupted")
        loop.remove_signal_handler(signal.SIGINT)

    try:
        loop.add_signal_handler(signal.SIGINT, interrupted)
    except (NotImplementedError, RuntimeError):  # not on this system, or not in the main thread
        yield
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
