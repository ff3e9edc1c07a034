"""`client`: the kinds of client there are, and the clients of a configuration."""

from __future__ import annotations

from typing import Annotated

from typer import Argument

from connector.cli.client_edit import register
from connector.cli.group import group
from connector.cli.options import Json
from connector.cli.output import print_document, print_table, wants_json

__all__ = ["client"]

client = group("Clients and their prototypes.")


register(client)


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
