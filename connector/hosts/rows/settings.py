"""What a host says of the connection that publishes its rows."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, SecretStr

from connector.config import Configuration
from connector.config.loading import examine
from connector.errors import ConfigurationError
from connector.hosts.streams.settings import SECRET, Settings
from connector.pipeline import kinds

__all__ = ["RowSettings", "load_given", "load_of", "read_variables"]


class RowSettings(Settings):
    """How rows are published."""

    configuration: str = Field(
        title="Configuration",
        description="A connector.yaml: its text, or its path. Each row is a document of the outgoing connection.",
        json_schema_extra={"multiline": True},
    )
    outgoing: str = Field(title="Outgoing connection", description="The connection that publishes rows.")
    engine: SecretStr = Field(
        title="Journal",
        description="Where is noted which rows were published, so that no repeat is paid for twice:"
        " postgresql://…, or sqlite:///FILE on a disk that outlives the sync.",
        json_schema_extra=SECRET,
    )
    variables: SecretStr | None = Field(
        default=None,
        title="Variables",
        description="What the configuration calls ${NAME}: lines of NAME=value.",
        json_schema_extra={**SECRET, "multiline": True},
    )
    concurrency: int = Field(default=8, ge=1, le=1000, title="Concurrency", description="Rows published at a time.")
    attempts: int = Field(
        default=5, ge=1, le=1000, title="Attempts", description="Attempts at a row that may be repeated."
    )
    each_sync: bool = Field(
        default=False,
        title="Every sync publishes all rows",
        description="Whether a row that an earlier sync published is published again when it has not changed.",
    )

    @property
    def environ(self) -> dict[str, str]:
        """Where the configuration's variables come from."""
        return read_variables(self.variables.get_secret_value() if self.variables else "")

    @property
    def secrets(self) -> list[str]:
        """What must not be shown: the values of variables too."""
        lines = (self.variables.get_secret_value() if self.variables else "").splitlines()
        return [self.engine.get_secret_value(), *(line.partition("=")[2].strip() for line in lines)]


def load_of(settings: RowSettings) -> Configuration:
    """Return the configuration that settings name; ConfigurationError with every fault of it."""
    return load_given(settings.configuration, settings.environ)


def read_variables(lines: str) -> dict[str, str]:
    """Return the environment with lines of `NAME=value`."""
    found = dict(os.environ)
    for number, line in enumerate(lines.splitlines(), 1):
        name, equals, value = line.strip().partition("=")
        if not equals and name:
            raise ConfigurationError(f"variables: line {number}: NAME=value is expected")
        if name:
            found[name.strip()] = value.strip()
    return found


def load_given(given: str, environ: Mapping[str, str]) -> Configuration:
    """Return a configuration, of which the text or the path is given; ConfigurationError with every fault of it."""
    is_text = "\n" in given or given.lstrip().startswith("{")
    path = Path("connector.yaml").absolute() if is_text else Path(given)
    loaded = examine(path, environ=environ, kinds=kinds(), texts={path: given} if is_text else None)
    loaded.check(require_variables=True)
    return loaded.configuration()
