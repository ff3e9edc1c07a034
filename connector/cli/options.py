"""Options that several commands share: the configuration, the client, the log, the output."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from typer import Option

from connector.cli.arguments import parse_headers, refuse_placeholders, set_value
from connector.declarations import CONFIGURATION_NAMES as NAMES
from connector.declarations import folder as declarations
from connector.errors import ConfigurationError
from connector.model import JSON

if TYPE_CHECKING:
    from connector.catalogue import Catalogue
    from connector.config import Configuration
    from connector.model_registry import ModelRegistry

__all__ = [
    "ClientOptions",
    "Config",
    "Debug",
    "Entities",
    "Json",
    "LogLevel",
    "LogLevelOption",
    "LogOptions",
    "Logs",
    "OutputOptions",
    "check_output",
    "configuration_at",
    "configuration_here",
    "configuration_of_environment",
    "find_models",
    "open_catalogue",
]

CONFIGURATION_VARIABLE = "OPENAI_CONNECTOR_CONFIG"
Config = Annotated[
    Path | None,
    Option(
        "-f",
        "--config",
        envvar=CONFIGURATION_VARIABLE,
        metavar="CONFIG",
        help="A configuration, file or folder; by default that of the current folder.",
    ),
]


def configuration_here() -> Path | None:
    """Return the configuration of the current folder, if there is one."""
    from connector.config.sources import configuration_in

    return configuration_in(Path())


def configuration_of_environment() -> Path | None:
    """Return the configuration that the environment names, for commands that take none as an option."""
    named = os.environ.get(CONFIGURATION_VARIABLE)
    return Path(named) if named else None


def configuration_at(given: Path | None) -> Path:
    """Return the given configuration, else that of the current folder."""
    found = given or configuration_here()
    if found is None:
        raise ConfigurationError(
            f"there is no {NAMES[0]} here; name a configuration with -f, or write a first one: openai-connector init"
        )
    return found


Json = Annotated[
    bool | None,
    Option(
        "--json/--text",
        help="JSON for programs or text for people; text on a terminal by default.",
        show_default=False,
    ),
]
CATALOGUE_VARIABLE = "OPENAI_CONNECTOR_ENTITIES"
Entities = Annotated[
    Path | None,
    Option("--entities", envvar=CATALOGUE_VARIABLE, metavar="FOLDER", help="A catalogue of your own."),
]


def catalogue_folder(folder: Path | None, config: Path | None = None) -> Path | None:
    """Return the folder of a user's catalogue: the one given, which must exist, else that of the configuration.

    Where there is no configuration, `entities` in the current folder is meant, if it holds a catalogue.
    """
    from connector.config.sources import catalogue_in, catalogue_of

    if folder is None and (named := os.environ.get(CATALOGUE_VARIABLE)):
        folder = Path(named)  # for commands that take no such option
    if folder is not None:
        if not folder.is_dir():
            raise ConfigurationError(f"--entities: {str(folder)!r} is not a folder; `entities import` makes one")
        return folder
    source = config or configuration_of_environment() or configuration_here()
    found = catalogue_in(Path(), None) if source is None else catalogue_of(source)
    return None if found is None or found.resolve() == declarations("entities") else found


def open_catalogue(configuration: Configuration, folder: Path | None = None) -> Catalogue:
    """Open the catalogue of a command with a configuration: the one given or in the environment, else its own."""
    from connector.catalogue import Catalogue

    is_named = folder is not None or os.environ.get(CATALOGUE_VARIABLE)
    return Catalogue.open(catalogue_folder(folder) if is_named else configuration.catalogue_folder)


def find_models(folder: Path | None, config: Path | None) -> ModelRegistry:
    """Return the facts about models of the catalogue that a command uses."""
    from connector.model_registry import load_registry

    return load_registry(catalogue_folder(folder, config))


class LogLevel(StrEnum):
    """The lowest level of log lines that are written."""

    error = "error"
    warning = "warning"
    info = "info"
    debug = "debug"


Debug = Annotated[
    bool,
    Option("--debug", help="Log every request and answer to standard error, with headers and bodies, secrets masked."),
]
LogLevelOption = Annotated[
    LogLevel | None,
    Option("--log-level", metavar="error|warning|info|debug", help="The lowest level of log lines to write."),
]


@dataclass(frozen=True, kw_only=True)
class Logs:
    """What to log."""

    debug: bool = False
    level: LogLevel | None = None

    def check(self, *, dry_run: bool = False) -> None:
        """Refuse contradictory options, and --debug without calls."""
        if self.debug and self.level is not None:
            raise ConfigurationError("--debug logs everything: leave out --debug or --log-level")
        if dry_run and self.debug:
            raise ConfigurationError("--debug logs what is sent, and nothing is sent here: leave it out")

    @property
    def parameters(self) -> dict[str, JSON]:
        """Parameters that override those of every client."""
        return {"logging": "full"} if self.debug else {}

    @property
    def words(self) -> list[str]:
        """The options as arguments for another process."""
        level = [] if self.level is None else ["--log-level", self.level.value]
        return [*level, *(["--debug"] if self.debug else [])]

    @contextmanager
    def written(
        self,
        redact: Callable[[str], str],
        *,
        mode: Literal["text", "json", "auto"] = "text",
        usual: int = logging.WARNING,
    ) -> Generator[None]:
        """Write logs within this context; unless a level is given, the logging setting of each client counts.

        Args:
            redact: masks secrets.
            mode: the format of the lines.
            usual: the level unless one is given.
        """
        from connector.telemetry.logs import configure_logging

        given = None if self.level is None else getattr(logging, self.level.value.upper())
        level = logging.DEBUG if self.debug else usual if given is None else given
        undo = configure_logging(mode, redact, level=level, calls=logging.DEBUG if given is None else given)
        try:
            yield
        finally:
            undo()


@dataclass(frozen=True, kw_only=True)
class LogOptions:
    """The log options of a command that makes calls."""

    debug: Debug = False
    log_level: LogLevelOption = None

    @property
    def logs(self) -> Logs:
        return Logs(debug=self.debug, level=self.log_level)


@dataclass(frozen=True, kw_only=True)
class ClientOptions(LogOptions):
    """The client of a command."""

    client: Annotated[
        str | None,
        Option(
            "--client",
            metavar="NAME",
            help="A client of the configuration, or a prototype; by default the only configured client.",
        ),
    ] = None
    base_uri: Annotated[str | None, Option("--base-uri", "--base-url", metavar="U", help="The address of the API.")] = (
        None
    )
    token: Annotated[str | None, Option("--token", metavar="T", help="The API key; better set OPENAI_API_KEY.")] = None
    organization: Annotated[
        str | None, Option("--organization", metavar="O", help="The organization to bill; by default OPENAI_ORG_ID.")
    ] = None
    project: Annotated[
        str | None, Option("--project", metavar="P", help="The project to bill; by default OPENAI_PROJECT_ID.")
    ] = None
    parameter: Annotated[
        list[str] | None,
        Option(
            "--parameter", metavar="NAME=VALUE", help="Any other parameter of the prototype; dots lead into objects."
        ),
    ] = None
    header: Annotated[list[str] | None, Option("--header", "-H", metavar="'N: v'", help="An additional header.")] = None
    timeout: Annotated[
        float | None, Option("--timeout", metavar="S", help="The time limit of the whole call, in seconds.")
    ] = None
    retries: Annotated[
        int | None, Option("--retries", metavar="N", help="The number of retries after the first attempt.")
    ] = None
    entities: Entities = None
    config: Config = None

    def parameters(self, uploads: list[str]) -> dict[str, JSON]:
        """Return the options as parameters of a client; files that the command line names may be read."""
        given = {name: getattr(self, name) for name in ("base_uri", "token", "organization", "project")}
        parameters: dict[str, JSON] = {name: value for name, value in given.items() if value is not None}
        parameters |= self.logs.parameters
        for assignment in self.parameter or ():
            set_value(parameters, assignment, "--parameter")
        if self.retries is not None:
            parameters.setdefault("retry", {})["max_retries"] = self.retries
        if self.timeout is not None:
            parameters.setdefault("timeouts", {})["total"] = self.timeout
        if uploads:
            parameters.setdefault("file_roots", [".", *(str(Path(upload).parent) for upload in uploads)])
        refuse_placeholders({f"--{name.replace('_', '-')}": value for name, value in parameters.items()}, "client")
        return parameters

    def headers(self) -> dict[str, str]:
        headers = parse_headers(self.header)
        refuse_placeholders(headers, "--header")
        return headers

    def folder(self) -> Path | None:
        return catalogue_folder(self.entities, self.config)


@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """What to do with the answer."""

    to: Annotated[Path | None, Option("--to", metavar="FILE", help="Write the body of the answer to a file.")] = None
    dry_run: Annotated[bool, Option("--dry-run", help="Show the exact request and send nothing.")] = False
    notation: Annotated[
        str | None, Option("--as", metavar="json|curl", help="With --dry-run: the format of the request.")
    ] = None
    select: Annotated[
        str | None, Option("--select", metavar="JMESPATH", help="Print only what this expression selects.")
    ] = None


def check_output(options: OutputOptions) -> None:
    """Refuse --as without a request to show."""
    if options.notation not in (None, "json", "curl"):
        raise ConfigurationError(f"--as {options.notation!r}: json or curl")
    if options.notation is not None and not options.dry_run:
        raise ConfigurationError("--as says how a request is shown: give --dry-run with it, or use `explain`")
    if options.notation == "curl" and options.select is not None:
        raise ConfigurationError("--select picks from JSON: leave out --as curl or --select")
