"""`client`, `incoming`, `outgoing`, `route`: the entries of a configuration, and the kinds of client."""

from __future__ import annotations

from typing import Annotated

from typer import Argument

from connector.cli import section_edit
from connector.cli.client_edit import register
from connector.cli.entry import CLIENTS, INCOMING, OUTGOING, ROUTES
from connector.cli.group import group
from connector.cli.options import Json
from connector.cli.output import print_document, print_table, wants_json

__all__ = ["client", "incoming", "outgoing", "route"]

client = group("Clients and their prototypes.")
incoming = group("Incoming connections of the configuration: where documents come from.")
outgoing = group("Outgoing connections of the configuration: where documents go.")
route = group("Routes of the configuration: which incoming goes to which outgoing connection.")

register(client)
section_edit.register(client, CLIENTS, add=False)
section_edit.register(incoming, INCOMING)
section_edit.register(outgoing, OUTGOING)
section_edit.register(route, ROUTES)


@client.command()
def prototypes(
    name: Annotated[str | None, Argument(help="Show this prototype's parameters.")] = None, json: Json = None
) -> None:
    """List the client prototypes, or one prototype's parameters."""
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
