"""`call --from`: a file of requests, answered in order while many are under way."""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from connector.cli.exit_codes import ExitCode, of_error, of_outcome, worst
from connector.cli.output import picker, print_line, progress, say, shown
from connector.documents import parse
from connector.errors import ConfigurationError, ConnectorError, InvalidDocument, InvalidRequest
from connector.model import JSON, Outcome, State, is_document

if TYPE_CHECKING:
    from connector.cli.call import CallOptions
    from connector.http import Client

__all__ = ["call_many"]

AHEAD = 4
"""How many times `concurrency` answers may wait for a slower one before them."""


async def call_many(client: Client, options: CallOptions) -> ExitCode:
    """One outcome a line, in the order of the requests; the exit code is the worst of them."""
    pick = picker(options.select)
    codes: dict[ExitCode, int] = {}
    places = asyncio.Semaphore(options.concurrency)
    waiting: deque[asyncio.Task[tuple[int, Outcome, ExitCode]]] = deque()

    async def finish_first() -> None:
        number, outcome, code = await waiting.popleft()
        codes[code] = codes.get(code, 0) + 1
        print_line(pick({"line": number, **shown(outcome)}))
        bar.advance(task)

    with progress() as bar:
        task = bar.add_task("calls", total=None)
        for number, line in _lines(options.requests or Path("-")):
            waiting.append(asyncio.create_task(_one(client, places, number, line, options)))
            if len(waiting) >= AHEAD * options.concurrency:
                await finish_first()
        while waiting:
            await finish_first()
    say(", ".join(f"{count} {code.name.lower()}" for code, count in sorted(codes.items())) or "no requests")
    return worst(codes)


async def _one(
    client: Client, places: asyncio.Semaphore, number: int, line: bytes, options: CallOptions
) -> tuple[int, Outcome, ExitCode]:
    async with places:
        try:
            outcome = await _send(client, line, options)
        except ConnectorError as error:
            faults = error.faults if isinstance(error, InvalidRequest) else ()
            return number, Outcome(State.NOT_SENT, reason=str(error), faults=faults), of_error(error)
        return number, outcome, of_outcome(outcome)


async def _send(client: Client, line: bytes, options: CallOptions) -> Outcome:
    asked = parse(line, where="the line")
    if not is_document(asked):
        raise InvalidDocument('a line is an object such as {"entity": "files", "action": "list"}')
    operation = client.catalogue.find(*_name(asked))
    if client.paused:
        return client.paused.outcome()
    return await client.send(client.prepare(operation, asked, validate=options.validate), timeout=options.timeout)


def _name(asked: dict[str, JSON]) -> tuple[str, str | None]:
    """Takes the operation's name off a line, so that the request is left."""
    operation, entity, action = (asked.pop(key, None) for key in ("operation", "entity", "action"))
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
            file = sys.stdin.buffer if str(requests) == "-" else opened.enter_context(requests.open("rb"))
        except OSError as error:
            raise ConfigurationError(f"--from: cannot read {str(requests)!r}: {error.strerror or error}") from None
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield number, line
