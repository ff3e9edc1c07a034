"""The files that hosts give to a command: JSON, as their protocols want it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import orjson
from typer import Option

from connector.errors import ConfigurationError
from connector.model import JSON

__all__ = ["CatalogFile", "ConfigFile", "StateFile", "read_file"]

ConfigFile = Annotated[Path | None, Option("--config", metavar="FILE", help="The configuration, as the spec says.")]
CatalogFile = Annotated[Path | None, Option("--catalog", metavar="FILE", help="Which streams, and how.")]
StateFile = Annotated[Path | None, Option("--state", metavar="FILE", help="The state that was kept of the last sync.")]


def read_file(path: Path | None, option: str, *, default: JSON = None) -> JSON:
    """Return the document in a file; ConfigurationError when it cannot be read, or is needed and not given."""
    if path is None:
        if default is not None:
            return default
        raise ConfigurationError(f"{option}: name a file")
    try:
        # Not by our stricter reader: hosts write a key twice when their models have it twice.
        document: JSON = orjson.loads(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{option} {path}: cannot be read: {error.strerror or error}") from None
    except orjson.JSONDecodeError as error:
        raise ConfigurationError(f"{option} {path}: {error}; a file of JSON is expected") from None
    return document
