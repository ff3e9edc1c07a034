"""`openapi export`: documents for programs and other platforms, of the studio's API and of chosen operations."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from connector.cli.arguments import API, check_server
from connector.cli.command import group
from connector.cli.options import Config, Entities, catalogue_folder
from connector.cli.output import print_document, say
from connector.errors import ConfigurationError
from connector.extras import require_extra
from connector.model import JSON

__all__ = ["openapi"]

openapi = group("OpenAPI documents, for programs and other platforms.")
FORMATS = ("3.1", "3.0")


@openapi.command("export")
def export(
    version: Annotated[
        str, Option("--format", metavar="3.1|3.0", help="The version of OpenAPI; Zapier, Make and DronaHQ read 3.0.")
    ] = "3.1",
    operations: Annotated[
        list[str] | None,
        Option(
            "--operation",
            metavar="OPERATION",
            help="An operation of the API, or several as `files *`; without any, the document is that of the studio.",
        ),
    ] = None,
    server: Annotated[
        str,
        Option("--server", metavar="URL", help="Where the operations are called: the API, or a gateway before it."),
    ] = API,
    config: Config = None,
    entities: Entities = None,
) -> None:
    """Print the OpenAPI document of the studio's API or, with --operation, of operations of OpenAI's."""
    if version not in FORMATS:
        raise ConfigurationError(f"--format {version!r}: 3.1 or 3.0")
    from connector.openapi import downgrade

    if operations:
        document = _describe_operations(operations, server, catalogue_folder(entities, config))
    else:
        require_extra("fastapi", "studio", "the studio's API")
        from connector.studio.app import describe_api

        document = describe_api()
    print_document(downgrade(document) if version == "3.0" else document)


def _describe_operations(patterns: list[str], server: str, folder: Path | None) -> dict[str, JSON]:
    from connector.catalogue import Catalogue
    from connector.hosts.offers import match_operations
    from connector.hosts.openapi.document import describe_operations, one_each

    check_server(server)
    catalogue = Catalogue.open(folder)
    kept, left_out = one_each(match_operations(patterns, catalogue, "--operation"))
    if left_out:
        names = ", ".join(operation.name for operation in left_out)
        say(f"left out: {names}: OpenAPI has one operation for each method and path, and these differ by their query")
    return describe_operations(kept, catalogue, server)
