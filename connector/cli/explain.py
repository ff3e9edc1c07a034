"""`explain`: the exact request of a call or a connection, which is not sent, and how a route would send it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from typer import Exit, Option

from connector.cli.arguments import read_document
from connector.cli.call_options import CallOptions, check_connection, check_entity
from connector.cli.connections import (
    call_operation,
    find_configuration,
)
from connector.cli.exit_codes import ExitCode
from connector.cli.output import picker, print_document
from connector.model import JSON
from connector.offline import offline_mode

if TYPE_CHECKING:
    from connector.config import Configuration

__all__ = ["EXPLAINED", "ExplainOptions", "explain", "explain_connection"]

EXPLAINED = {
    "incoming": ("--config", "--entities", "--select"),
    "outgoing": ("--config", "--document", "--entities", "--select"),
    "routes": ("--config", "--entities", "--select", "--transport"),
}
"""The options that `explain` takes with a connection or a route, by section."""


@dataclass(frozen=True, kw_only=True)
class ExplainOptions(CallOptions):
    """The options of `explain`."""

    decided: ClassVar[Mapping[str, str]] = {"--dry-run": "explain"}
    given: Annotated[
        str | None,
        Option("--document", metavar="JSON|@FILE|-", help="With an outgoing connection: a document to send."),
    ] = None
    transport: Annotated[
        bool,
        Option(
            "--transport",
            help="With a route that says by when answers are needed: how a document would go that comes now, and why.",
        ),
    ] = False


def explain(options: ExplainOptions) -> None:
    """Show the exact request that a call or a connection would send, and send nothing."""
    if options.transport:
        raise Exit(_explain_transport(options))
    kind = "outgoing" if options.given is not None else "incoming"
    other = "incoming" if kind == "outgoing" else "outgoing"
    for section in (kind, other):
        configuration = find_configuration(options.config, section, options.entity)
        if configuration is not None:
            check_connection(options, section, EXPLAINED[section])
            raise Exit(explain_connection(configuration, section, options))
    check_entity(options, ("--document", "--transport"))
    call_operation(options, ("incoming", "outgoing"))


def _explain_transport(options: ExplainOptions) -> ExitCode:
    from connector.cli.options import configuration_at
    from connector.pipeline import load_configuration

    check_connection(options, "routes", EXPLAINED["routes"])
    configuration = load_configuration(configuration_at(options.config))
    configuration.find("routes", options.entity or "")
    return asyncio.run(_foresee(configuration, options))


async def _foresee(configuration: Configuration, options: CallOptions) -> ExitCode:
    from connector.catalogue import Catalogue
    from connector.cli.forecast import open_past
    from connector.delivery.context import DeliveryContext
    from connector.delivery.deadlines.outlook import foresee_transport
    from connector.pipeline import Runtime

    name, pick, catalogue = options.entity or "", picker(options.select), Catalogue.open(options.folder())
    async with open_past(configuration) as store, Runtime(configuration, catalogue=catalogue) as runtime:
        print_document(pick((await foresee_transport(DeliveryContext(runtime, store), name)).as_document()))
    return pick.ended(ExitCode.DONE)


def explain_connection(configuration: Configuration, section: str, options: CallOptions) -> ExitCode:
    """Print what a connection would send; return the exit code."""
    with offline_mode():
        return asyncio.run(_explain(configuration, section, options))


async def _explain(configuration: Configuration, section: str, options: CallOptions) -> ExitCode:
    from connector.catalogue import Catalogue
    from connector.pipeline import Runtime, explain_incoming, explain_outgoing

    name, pick = options.entity or "", picker(options.select)
    async with Runtime(configuration, catalogue=Catalogue.open(options.folder())) as runtime:
        if section == "incoming":
            print_document(pick(await explain_incoming(runtime, name)))
        else:
            given = getattr(options, "given", None)
            document: JSON = {} if given is None else read_document(given, "--document")
            print_document(pick(await explain_outgoing(runtime, name, document)))
    return pick.ended(ExitCode.DONE)
