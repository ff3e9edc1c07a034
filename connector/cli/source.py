"""Which configuration a command works with: the one that was named, else the one of the current folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from connector.declarations import CONFIGURATION_NAMES as NAMES
from connector.errors import ConfigurationError

__all__ = ["NAMES", "Config", "configuration_at", "configuration_here"]

Config = Annotated[
    Path | None,
    Option(
        "-f",
        "--config",
        envvar="OPENAI_CONNECTOR_CONFIG",
        metavar="CONFIG",
        help="The configuration, a file or folder; that of this folder unless given.",
    ),
]


def configuration_here() -> Path | None:
    """The configuration of the current folder, if there is one."""
    from connector.config.sources import configuration_in

    return configuration_in(Path())


def configuration_at(given: Path | None) -> Path:
    """The configuration that was named, else the one of the current folder."""
    found = given or configuration_here()
    if found is None:
        raise ConfigurationError(
            f"there is no {NAMES[0]} here; name a configuration with -f, or write a first one: openai-connector init"
        )
    return found
