"""Options that several commands share: the configuration, the client, the log, the output."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from typer import Option

from connector.cli.arguments import parse_headers, refuse_placeholders, set_value
from connector.declarations import CONFIGURATION_NAMES as NAMES
from connector.errors import ConfigurationError
from connector.model import JSON

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
]

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


Json = Annotated[
    bool | None,
    Option(
        "--json/--text",
        help="JSON for programs or text for people; by default text on a terminal.",
        show_default=False,
    ),
]
Entities = Annotated[
    Path | None,
    Option("--entities", envvar="OPENAI_CONNECTOR_ENTITIES", metavar="FOLDER", help="A catalogue of yours."),
]


def catalogue_folder(folder: Path | None) -> Path | None:
    """The folder of a user's catalogue, which must be there."""
    if folder is not None and not folder.is_dir():
        raise ConfigurationError(f"--entities: {str(folder)!r} is not a folder; `entities import` makes one")
    return folder


class LogLevel(StrEnum):
    """From which level on records are written."""

    error = "error"
    warning = "warning"
    info = "info"
    debug = "debug"


Debug = Annotated[
    bool, Option("--debug", help="Log every request and answer, headers and bodies without secrets, to standard error.")
]
LogLevelOption = Annotated[
    LogLevel | None, Option("--log-level", metavar="error|warning|info|debug", help="Which log lines are written.")
]


@dataclass(frozen=True, kw_only=True)
class Logs:
    """What is to be logged."""

    debug: bool = False
    level: LogLevel | None = None

    def check(self, *, dry_run: bool = False) -> None:
        """Refuse what says two things, or logs calls where there are none."""
        if self.debug and self.level is not None:
            raise ConfigurationError("--debug logs everything: leave out --debug or --log-level")
        if dry_run and self.debug:
            raise ConfigurationError("--debug logs what is sent, and nothing is sent here: leave it out")

    @property
    def parameters(self) -> dict[str, JSON]:
        """What goes before the parameters of every client."""
        return {"logging": "full"} if self.debug else {}

    @property
    def words(self) -> list[str]:
        """The options again, for another process."""
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
        """Write the log while this lasts; clients that say themselves what is logged are heard unless a level is given.

        Args:
            redact: hides secrets.
            mode: how lines are written.
            usual: the level where none is given.
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
    """The options of a calling command."""

    debug: Debug = False
    log_level: LogLevelOption = None

    @property
    def logs(self) -> Logs:
        return Logs(debug=self.debug, level=self.log_level)


@dataclass(frozen=True, kw_only=True)
class ClientOptions(LogOptions):
    """The client a command goes through."""

    client: Annotated[
        str | None,
        Option(
            "--client",
            metavar="NAME",
            help="A client of the configuration, or a prototype; the only configured one unless given.",
        ),
    ] = None
    base_uri: Annotated[str | None, Option("--base-uri", "--base-url", metavar="U", help="Where the API is.")] = None
    token: Annotated[str | None, Option("--token", metavar="T", help="The key; better kept in OPENAI_API_KEY.")] = None
    organization: Annotated[
        str | None, Option("--organization", metavar="O", help="Whom the call is counted for; OPENAI_ORG_ID.")
    ] = None
    project: Annotated[
        str | None, Option("--project", metavar="P", help="Which project it is counted for; OPENAI_PROJECT_ID.")
    ] = None
    parameter: Annotated[
        list[str] | None,
        Option("--parameter", metavar="NAME=VALUE", help="Any other parameter of the prototype; dots go deeper."),
    ] = None
    header: Annotated[list[str] | None, Option("--header", "-H", metavar="'N: v'", help="A header of your own.")] = None
    timeout: Annotated[float | None, Option("--timeout", metavar="S", help="Seconds for the whole call.")] = None
    retries: Annotated[int | None, Option("--retries", metavar="N", help="Tries after the first one.")] = None
    entities: Entities = None
    config: Config = None

    def parameters(self, uploads: list[str]) -> dict[str, JSON]:
        """What was given, as a client's parameters; a file named on the command line may be read."""
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
        return catalogue_folder(self.entities)


@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """What becomes of the answer."""

    to: Annotated[Path | None, Option("--to", metavar="FILE", help="Write the answer's body to a file.")] = None
    dry_run: Annotated[bool, Option("--dry-run", help="Show the exact request and send nothing.")] = False
    notation: Annotated[
        str | None, Option("--as", metavar="json|curl", help="With --dry-run: how the request is shown.")
    ] = None
    select: Annotated[str | None, Option("--select", metavar="JMESPATH", help="Print only what this picks.")] = None


def check_output(options: OutputOptions) -> None:
    """Refuses ways of showing a request where none is shown."""
    if options.notation not in (None, "json", "curl"):
        raise ConfigurationError(f"--as {options.notation!r}: json or curl")
    if options.notation is not None and not options.dry_run:
        raise ConfigurationError("--as says how a request is shown: give --dry-run with it, or use `explain`")
    if options.notation == "curl" and options.select is not None:
        raise ConfigurationError("--select picks from JSON: leave out --as curl or --select")
