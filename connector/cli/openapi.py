"""`openapi export`: the document of the studio's API."""

from __future__ import annotations

from typing import Annotated

from typer import Option

from connector.cli.command import group
from connector.cli.output import print_document
from connector.errors import ConfigurationError
from connector.extras import require_extra

__all__ = ["openapi"]

openapi = group("The document of the studio's API, for programs and other platforms.")
FORMATS = ("3.1", "3.0")


@openapi.command("export")
def export(
    version: Annotated[
        str, Option("--format", metavar="3.1|3.0", help="The version of OpenAPI; Zapier, Make and DronaHQ read 3.0.")
    ] = "3.1",
) -> None:
    """Print the OpenAPI document of the studio's API."""
    require_extra("fastapi", "studio", "the studio's API")
    from connector.studio.app import describe_api
    from connector.studio.openapi import downgrade

    if version not in FORMATS:
        raise ConfigurationError(f"--format {version!r}: 3.1 or 3.0")
    document = describe_api()
    print_document(downgrade(document) if version == "3.0" else document)
