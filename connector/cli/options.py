"""Options declared once, as the fields of a dataclass that a command takes whole."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_type_hints

from typer import Option

from connector.cli.arguments import header_pairs, set_value
from connector.cli.logs import LogOptions
from connector.cli.mistyped import refuse_placeholders
from connector.cli.source import Config
from connector.errors import ConfigurationError
from connector.model import JSON

__all__ = ["ClientOptions", "Entities", "Json", "OutputOptions", "command"]

Options = TypeVar("Options")

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


def command(run: Callable[[Options], None], options: type[Options], **decided: JSON) -> Callable[..., None]:
    """A function with an option for each field, as the command line wants it; decided fields are no options."""
    kinds = get_type_hints(options, include_extras=True)
    asked = [field for field in fields(options) if field.name not in decided]  # type: ignore[arg-type]  # a dataclass

    def of_options(**values: Any) -> None:
        run(options(**values, **decided))

    parameters = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if field.default is MISSING else field.default,
            annotation=kinds[field.name],
        )
        for field in asked
    ]
    of_options.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what inspect documents
    of_options.__annotations__ = {field.name: kinds[field.name] for field in asked}
    of_options.__doc__ = run.__doc__
    return of_options


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
        headers = header_pairs(self.header)
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


def catalogue_folder(folder: Path | None) -> Path | None:
    """The folder of a user's catalogue, which must be there."""
    if folder is not None and not folder.is_dir():
        raise ConfigurationError(f"--entities: {str(folder)!r} is not a folder; `entities import` makes one")
    return folder
