"""`call`: any operation by name."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from typer import Exit

from connector.cli.arguments import find_operation
from connector.cli.call_options import CallOptions, check_call, section_members
from connector.cli.call_output import print_events, print_explanation, print_outcome, print_warnings
from connector.cli.exit_codes import ExitCode
from connector.cli.output import picker, print_line
from connector.errors import ConfigurationError
from connector.model import JSON
from connector.offline import offline_mode

if TYPE_CHECKING:
    from connector.http import Client
    from connector.subscriber import Subscriber

__all__ = ["call"]


def call(options: CallOptions) -> None:
    """Call any operation of the API by name."""
    check_call(options)
    with offline_mode(when=options.dry_run):
        raise Exit(asyncio.run(_call(options)))


async def _call(options: CallOptions) -> ExitCode:
    from connector.cli.client_choice import choose_client

    async with choose_client(options, options.client_parameters, dry_run=options.dry_run) as client:
        with options.logs.written(client.redactor):
            return await (_call_one if options.requests is None else _call_many)(client, options)


async def _call_many(client: Client, options: CallOptions) -> ExitCode:
    from connector.cli.call_many import call_many, explain_many, read_many

    if options.dry_run:
        return explain_many(client, options)
    return await (read_many if options.every else call_many)(client, options)


async def _call_one(client: Client, options: CallOptions) -> ExitCode:
    if not options.words:
        raise ConfigurationError("which operation? e.g. `call models list`; `entities list` shows all of them")
    pick = picker(options.select)
    document = options.document()
    operation, values = find_operation(client.catalogue, options.words)
    if values:
        document["path"] = {**values, **section_members(document.get("path"), "path")}
    subscriber = _subscriber(client, operation.name) if options.every else None
    wire = client.prepare(operation, document, from_text=True, stream=True if options.stream else None)
    if options.dry_run:
        return print_explanation(client, wire, options.notation or "json", pick)
    print_warnings(wire)
    if subscriber is not None:
        return await _print_entities(subscriber, options, document)
    if options.stream:
        return await print_events(client, wire, options.timeout, pick)
    return await print_outcome(client, wire, options.timeout, options.to, pick)


def _subscriber(client: Client, operation: str) -> Subscriber:
    from connector.subscriber import Subscriber

    return Subscriber(client, operation)


async def _print_entities(subscriber: Subscriber, options: CallOptions, document: dict[str, JSON]) -> ExitCode:
    pick = picker(options.select)
    async for entity in subscriber.read(document, limit=options.limit, from_text=True):
        print_line(pick(entity))
    return pick.ended(ExitCode.DONE)
