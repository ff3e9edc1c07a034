"""`client`: the clients of a configuration, and the prototypes that they are made of."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Exit, Option

from connector.cli.arguments import parse_headers, set_value
from connector.cli.command import group
from connector.cli.entry_commands import apply_edit, register_commands, target_file
from connector.cli.entry_options import CLIENTS
from connector.cli.exit_codes import ExitCode, of_outcome
from connector.cli.options import (
    Config,
    Debug,
    Entities,
    Json,
    LogLevelOption,
    Logs,
    catalogue_folder,
    configuration_at,
)
from connector.cli.output import print_document, print_table, say, wants_json
from connector.errors import ConfigurationError
from connector.model import JSON

if TYPE_CHECKING:
    from connector.config import Configuration
    from connector.config.diagnosis import Diagnosis

__all__ = ["client"]

client = group("Clients and their prototypes.")


@client.command()
def add(
    name: Annotated[str, Argument(help="The name of the new client.")],
    prototype: Annotated[
        str, Option("--prototype", metavar="P", help="Its prototype; see `client prototypes`.")
    ] = "openai",
    base_uri: Annotated[
        str | None, Option("--base-url", "--base-uri", metavar="U", help="The address of the API.")
    ] = None,
    header: Annotated[
        list[str] | None, Option("--header", "-H", metavar="'N: v'", help="A header for every request.")
    ] = None,
    parameter: Annotated[
        list[str] | None,
        Option("--parameter", metavar="NAME=VALUE", help="Any other parameter; dots lead into objects."),
    ] = None,
    config: Config = None,
    dry_run: Annotated[bool, Option("--dry-run", help="Print the change and write nothing.")] = False,
) -> None:
    """Add a client to the configuration, and print the change."""
    from connector.config.edits import add_client

    given = _parameters(prototype, base_uri, header, parameter)
    _check(name, prototype, given)
    edit = add_client(target_file(config, CLIENTS), name, prototype, given)
    apply_edit(edit, CLIENTS, name, "added", config, dry_run=dry_run, force=False)
    if _plain_secrets(prototype, given):
        say("a secret stands in the file as it is; better give ${NAME}, which is looked up when it is used")
    say(f"try `client test {name}`")


@client.command("list")
def list_clients(config: Config = None, json: Json = None) -> None:
    """List the clients of the configuration."""
    rows = [
        {"name": name, "prototype": entry.prototype, "description": entry.description}
        for name, entry in _load_configuration(config).clients.items()
    ]
    if wants_json(json):
        print_document(rows)
    else:
        print_table(("client", "prototype", "description"), (tuple(row.values()) for row in rows))


@client.command("test")
def try_client(
    name: Annotated[str, Argument(help="A client of the configuration.")],
    config: Config = None,
    folder: Entities = None,
    json: Json = None,
    debug: Debug = False,
    log_level: LogLevelOption = None,
) -> None:
    """Try a client with one free call, and say in words what is wrong."""
    logs = Logs(debug=debug, level=log_level)
    logs.check()
    found = asyncio.run(_try(_load_configuration(config), name, folder, logs))
    if wants_json(json):
        print_document(found.as_document(name))
    say(found.sentence(name))
    raise Exit(ExitCode.DONE if found.works else of_outcome(found.outcome))


def _load_configuration(config: Path | None) -> Configuration:
    from connector.config import load

    return load(configuration_at(config))


def _parameters(
    prototype: str, base_uri: str | None, headers: list[str] | None, more: list[str] | None
) -> dict[str, JSON]:
    from connector.http import prototypes

    fields = prototypes().find(prototype).parameters.model_fields
    given: dict[str, JSON] = {}
    if base_uri is not None:
        given["endpoint" if "endpoint" in fields else "base_uri"] = base_uri
    for assignment in more or ():
        set_value(given, assignment, "--parameter")
    if headers:
        given["headers"] = {**(given.get("headers") or {}), **parse_headers(headers)}
    return given


def _check(name: str, prototype: str, given: dict[str, JSON]) -> None:
    """Refuse what the configuration would refuse; variables may be set later."""
    from connector.config import parse
    from connector.config.findings import InvalidConfiguration

    try:
        parse({"clients": {name: {"prototype": prototype, "parameters": given}}}, name=f"client {name}")
    except InvalidConfiguration as error:
        said = "; ".join(finding.words.removeprefix(f"clients.{name}.") for finding in error.findings)
        raise ConfigurationError(f"client {name!r} would not work: {said}") from None


def _plain_secrets(prototype: str, given: dict[str, JSON]) -> bool:
    """Return whether a secret is given in plain text."""
    from connector.config.secrets import secret_places
    from connector.http import prototypes

    return any(secret_places(prototypes().find(prototype).parameters, given))


async def _try(configuration: Configuration, name: str, folder: Path | None, logs: Logs) -> Diagnosis:
    from connector.catalogue import Catalogue
    from connector.config.diagnosis import diagnose
    from connector.config.models import ClientEntry

    entry = configuration.find("clients", name)
    if not isinstance(entry, ClientEntry):
        raise ConfigurationError(f"{name!r} is no client")
    catalogue = Catalogue.open(catalogue_folder(folder) if folder else configuration.catalogue_folder)
    entry = entry.with_parameters(logs.parameters)
    async with entry.client(catalogue=catalogue) as client:
        with logs.written(client.redactor):
            return await diagnose(client)


register_commands(client, CLIENTS, add=False)


@client.command()
def prototypes(
    name: Annotated[str | None, Argument(help="Show the parameters of this prototype.")] = None, json: Json = None
) -> None:
    """List the prototypes of clients, or the parameters of one."""
    from connector.http import describe, prototypes

    if name is None:
        kinds = [{"name": kind.name, "summary": kind.summary} for kind in prototypes()]
        if wants_json(json):
            print_document(kinds)
        else:
            print_table(("prototype", "what it is for"), ((kind["name"], kind["summary"]) for kind in kinds))
        return
    rows = describe(name)
    if wants_json(json):
        print_document(rows)
    else:
        columns = ("name", "type", "default", "environment", "description")
        print_table(columns, ([str(row.get(column) or "") for column in columns] for row in rows))
