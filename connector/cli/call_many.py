"""`call --from`: a file of requests, sent concurrently and answered in order, or only shown."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, aclosing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from connector.aio.bounded_map import map_ordered
from connector.cli.call_output import warn_when_interrupted
from connector.cli.exit_codes import ExitCode, of_error, of_outcome, worst
from connector.cli.output import picker, print_command, print_line, progress, say, shown
from connector.documents import parse
from connector.errors import ConfigurationError, ConnectorError, InvalidDocument
from connector.model import JSON, CallFailed, Effect, InvalidRequest, Outcome, State, is_document

if TYPE_CHECKING:
    from connector.catalogue import Operation
    from connector.cli.call_options import CallOptions
    from connector.http import Client
    from connector.request import Wire
    from connector.subscriber import Subscriber

__all__ = ["call_many", "explain_many", "read_many"]

CONCURRENCY = 16


async def call_many(client: Client, options: CallOptions) -> ExitCode:
    """Print one outcome per line, in the order of the requests, and return the worst exit code."""
    pick = picker(options.select)
    concurrency = options.concurrency or CONCURRENCY
    codes: Counter[ExitCode] = Counter()
    call = partial(_call_line, client, options)
    lines = _lines(options.requests or Path("-"))
    with warn_when_interrupted(Effect.OPAQUE, "what has no answer above"), progress() as bar:
        task = bar.add_task("calls", total=None)
        async with aclosing(map_ordered(lines, call, concurrency)) as called:
            async for number, outcome, code in called:
                codes[code] += 1
                print_line(pick({"line": number, **shown(outcome)}))
                bar.advance(task)
    return pick.ended(_summarize(codes, "done"))


def explain_many(client: Client, options: CallOptions) -> ExitCode:
    """Print one explanation per line, or the faults of a request; send nothing."""
    pick = picker(options.select)
    codes: Counter[ExitCode] = Counter()
    for number, line in _lines(options.requests or Path("-")):
        try:
            explanation = client.explain(_prepared(client, line, options))
        except ConnectorError as error:
            code = of_error(error)
            _print_unsent(number, error, options, pick)
        else:
            code = ExitCode.DONE
            if options.notation == "curl":
                print_command(f"# line {number}\n{explanation.as_curl()}")
            else:
                print_line(pick({"line": number, **explanation.as_document()}))
        codes[code] += 1
    return pick.ended(_summarize(codes, "shown"))


async def read_many(client: Client, options: CallOptions) -> ExitCode:
    """Print every entity of every list, one list after the other; if a list breaks off, print why."""
    pick = picker(options.select)
    codes: Counter[ExitCode] = Counter()
    for number, line in _lines(options.requests or Path("-")):
        code = ExitCode.DONE
        try:
            operation, asked = _parse_line(client, line, options)
            async for entity in _subscriber(client, operation).read(asked, limit=options.limit):
                print_line(pick({"line": number, "entity": entity}))
        except ConnectorError as error:
            code = of_error(error)
            _print_unsent(number, error, options, pick)
        codes[code] += 1
    return pick.ended(_summarize(codes, "done"))


def _summarize(codes: Counter[ExitCode], done: str) -> ExitCode:
    names = {ExitCode.DONE: done}
    counts = (f"{count} {names.get(code, code.name.lower())}" for code, count in sorted(codes.items()))
    say(", ".join(counts) or "no requests")
    return worst(codes)


def _print_unsent(number: int, error: ConnectorError, options: CallOptions, pick: Callable[[JSON], JSON]) -> None:
    """Print why a line has no result."""
    if options.notation == "curl":
        say(f"line {number}: {error}")
    else:
        print_line(pick({"line": number, **shown(_outcome_of(error))}))


def _outcome_of(error: ConnectorError) -> Outcome:
    if isinstance(error, CallFailed):
        return error.outcome
    faults = error.faults if isinstance(error, InvalidRequest) else ()
    return Outcome(State.NOT_SENT, reason=str(error), faults=faults)


async def _call_line(
    client: Client, options: CallOptions, numbered: tuple[int, bytes]
) -> tuple[int, Outcome, ExitCode]:
    number, line = numbered
    try:
        outcome = await _send(client, line, options)
    except ConnectorError as error:
        return number, _outcome_of(error), of_error(error)
    return number, outcome, of_outcome(outcome)


async def _send(client: Client, line: bytes, options: CallOptions) -> Outcome:
    wire = _prepared(client, line, options)
    return client.paused.outcome() if client.paused else await client.send(wire)


def _prepared(client: Client, line: bytes, options: CallOptions) -> Wire:
    operation, asked = _parse_line(client, line, options)
    if options.every:
        _subscriber(client, operation)
    return client.prepare(operation, asked, stream=True if options.stream else None)


def _subscriber(client: Client, operation: Operation) -> Subscriber:
    from connector.subscriber import Subscriber

    return Subscriber(client, operation.name)


def _parse_line(client: Client, line: bytes, options: CallOptions) -> tuple[Operation, dict[str, JSON]]:
    """Return a line's operation and request, completed by the command line."""
    asked = parse(line, where="the line")
    if not is_document(asked):
        raise InvalidDocument('a line is an object such as {"entity": "files", "action": "list"}')
    operation = client.catalogue.find(*_name(asked, options))
    own = asked.get("headers")
    if options.header and (own is None or is_document(own)):
        asked["headers"] = {**options.headers(), **(own or {})}
    return operation, asked


def _name(asked: dict[str, JSON], options: CallOptions) -> tuple[str, str | None]:
    """Remove the operation's name from a line and return it, so that the request is left."""
    operation, entity, action = (asked.pop(key, None) for key in ("operation", "entity", "action"))
    if operation is None and entity is None and action is None and options.entity is not None:
        return options.entity, None
    if isinstance(operation, str) and entity is None and action is None:
        return operation, None
    if isinstance(entity, str) and operation is None and isinstance(action, str | None):
        return entity, action
    raise InvalidDocument(
        'a line names its operation by "entity" and "action", or by "operation" such as "POST /files"'
    )


def _lines(requests: Path) -> Iterator[tuple[int, bytes]]:
    with ExitStack() as opened:
        try:
            if str(requests) == "-" and sys.stdin.isatty():
                say("--from -: reading requests from standard input, one JSON object a line; Ctrl-D ends them")
            file = sys.stdin.buffer if str(requests) == "-" else opened.enter_context(requests.open("rb"))
        except OSError as error:
            raise ConfigurationError(f"--from: cannot read {str(requests)!r}: {error.strerror or error}") from None
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield number, line
